// Line drawings on a grid of 24. They say nothing to screen readers: the button does.

const drawings = {
  send: "M12 19V6m-6 6 6-6 6 6",
  attach: "m20 11.5-8.1 8.1a5 5 0 0 1-7-7l8.4-8.5a3.4 3.4 0 0 1 4.8 4.8l-8.4 8.4a1.7 1.7 0 0 1-2.4-2.4l7.6-7.6",
  stop: "M7 9a2 2 0 0 1 2-2h6a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2z",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  done: "m5 12.5 4.5 4.5L19 7.5",
  up: "M7 11v9H4v-9zm0 0 4-8c1.7 0 2.8 1.2 2.5 2.9L13 9h5.3c1.3 0 2.2 1.2 1.9 2.4l-1.6 6.8A2.4 2.4 0 0 1 16.3 20H7",
  again: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4L19.5 9m0-5v5h-5",
  edit: "m4 20 .9-4L16 4.9a1.5 1.5 0 0 1 2.1 0l1 1a1.5 1.5 0 0 1 0 2.1L8 19.1z",
  close: "m6 6 12 12M18 6 6 18",
  open: "M14 5h5v5m0-5-8 8M10 6H6v12h12v-4",
  below: "M12 5v13m-6-6 6 6 6-6",
  person: "M12 11.8a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6M4.8 20c.8-3.8 3.6-5.7 7.2-5.7s6.4 1.9 7.2 5.7",
  file: "M13.5 3.5H7A1.5 1.5 0 0 0 5.5 5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5zm0 0v5h5",
  spark: "M12 4c.7 4.7 3.3 7.3 8 8-4.7.7-7.3 3.3-8 8-.7-4.7-3.3-7.3-8-8 4.7-.7 7.3-3.3 8-8z",
  alert: "M12 8v5m0 3v.01M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
} as const;

export function Icon({ name }: { name: keyof typeof drawings | "down" }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={drawings[name === "down" ? "up" : name]} />
    </svg>
  );
}
