// The drawings of the menu.

import { Drawing } from "./Glyph.tsx";

const drawings = {
  list: "M5 6.5h14M5 12h14M5 17.5h9",
  fresh: "M12 5v14M5 12h14",
  download: "M12 4.5v10m-4.5-4 4.5 4.5 4.5-4.5M5 19.5h14",
  sound: "M4.5 9.8v4.4h3l4 3.6V6.2l-4 3.6zM15 9a4.2 4.2 0 0 1 0 6M17.5 6.5a7.8 7.8 0 0 1 0 11",
  bell: "M6.5 16.5V11a5.5 5.5 0 0 1 11 0v5.5l1.5 1.5H5zM10.3 20.5h3.4",
  whole: "M4.5 6h15M4.5 11h9M4.5 16h6m4 .5 2.2 2.2 3.8-4.4",
  end: "M15 4.5h3.5v15H15M11 8.5 14.5 12 11 15.5M14 12H5",
} as const;

export type MenuGlyphName = keyof typeof drawings;

export function MenuGlyph({ name }: { name: MenuGlyphName }) {
  return <Drawing name={name} d={drawings[name]} />;
}
