// Line drawings on a grid of 24 for the header, the menu and the list. They say nothing to
// screen readers: the button does.

const drawings = {
  person: "M12 11.8a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6M4.8 20c.8-3.8 3.6-5.7 7.2-5.7s6.4 1.9 7.2 5.7",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  close: "m6.5 6.5 11 11m0-11-11 11",
  back: "m14.5 5.5-6.5 6.5 6.5 6.5",
  list: "M5 6.5h14M5 12h14M5 17.5h9",
  fresh: "M12 5v14M5 12h14",
  download: "M12 4.5v10m-4.5-4 4.5 4.5 4.5-4.5M5 19.5h14",
  sound: "M4.5 9.8v4.4h3l4 3.6V6.2l-4 3.6zM15 9a4.2 4.2 0 0 1 0 6M17.5 6.5a7.8 7.8 0 0 1 0 11",
  bell: "M6.5 16.5V11a5.5 5.5 0 0 1 11 0v5.5l1.5 1.5H5zM10.3 20.5h3.4",
  whole: "M4.5 6h15M4.5 11h9M4.5 16h6m4 .5 2.2 2.2 3.8-4.4",
  end: "M15 4.5h3.5v15H15M11 8.5 14.5 12 11 15.5M14 12H5",
  done: "m5 12.5 4.5 4.5L19 7.5",
  bot: "M4.5 6.5a3 3 0 0 1 3-3h9a3 3 0 0 1 3 3v6.5a3 3 0 0 1-3 3h-4.3l-4 3.6c-.6.5-1.5.1-1.5-.7V16a2.9 2.9 0 0 1-2.2-3zm4.5 3.4 2.2 2.2L15.3 8",
  clock: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16M12 7.5V12l3 2",
} as const;

export type GlyphName = keyof typeof drawings;

export function Glyph({ name }: { name: GlyphName }) {
  return (
    <svg class={`glyph ${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={drawings[name]} />
    </svg>
  );
}
