// Line drawings on a grid of 24 for the header. They say nothing to screen readers: the
// button does.

const drawings = {
  person: "M12 11.8a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6M4.8 20c.8-3.8 3.6-5.7 7.2-5.7s6.4 1.9 7.2 5.7",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  close: "m6.5 6.5 11 11m0-11-11 11",
  bot: "M4.5 6.5a3 3 0 0 1 3-3h9a3 3 0 0 1 3 3v6.5a3 3 0 0 1-3 3h-4.3l-4 3.6c-.6.5-1.5.1-1.5-.7V16a2.9 2.9 0 0 1-2.2-3zm4.5 3.4 2.2 2.2L15.3 8",
  clock: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16M12 7.5V12l3 2",
} as const;

export function Glyph({ name }: { name: keyof typeof drawings }) {
  return <Drawing name={name} d={drawings[name]} />;
}

export function Drawing({ name, d }: { name: string; d: string }) {
  return (
    <svg class={`glyph ${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={d} />
    </svg>
  );
}
