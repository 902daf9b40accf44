// Any colour may be given as the accent. Where it is too weak to be read as text, it is
// made darker or lighter until it can be; which of black and white is written on it, the
// style sheet finds out (--on-accent).

export type Colour = [red: number, green: number, blue: number]; // 0 to 1, sRGB

/** What WCAG 2.2 asks of text (1.4.3). */
const enough = 4.5;

/** Relative luminance as WCAG 2.2 defines it. */
export function luminance(colour: Colour): number {
  const [r, g, b] = colour.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as Colour;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Colour, b: Colour): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

export function mix(a: Colour, b: Colour, share: number): Colour {
  return a.map((c, i) => c * (1 - share) + b[i]! * share) as Colour;
}

/** The accent, moved towards black or white as little as makes it readable on every ground
 * and on a ground tinted with itself, as marks and buttons are. */
export function readable(accent: Colour, grounds: Colour[]): Colour {
  const light = grounds.reduce((sum, ground) => sum + luminance(ground), 0) / grounds.length > 0.18;
  const end: Colour = light ? [0, 0, 0] : [1, 1, 1];
  for (let share = 0; share < 1; share += 0.03) {
    const colour = mix(accent, end, share);
    if (grounds.every((ground) => contrast(colour, ground) >= enough && contrast(colour, mix(ground, colour, tint)) >= enough)) return colour;
  }
  return end;
}

/** The share of the accent in --accent-soft, with some room. */
const tint = 0.12;

/** A computed colour: rgb(11, 110, 99) or color(srgb 0.04 0.43 0.39), with or without an
 * alpha. */
export function parse(computed: string): Colour | undefined {
  const [, space, list] = /^(rgba?|color)\((?:srgb )?([^)]*)\)$/.exec(computed) ?? [];
  const numbers = list?.split(/[\s,/]+/).slice(0, 3).map(Number);
  if (!numbers || numbers.length < 3 || numbers.some(Number.isNaN)) return undefined;
  return (space === "color" ? numbers : numbers.map((n) => n / 255)) as Colour;
}

/** Keeps --accent of the element readable, also when the system changes between light and
 * dark. What it returns looks again: the given accent is another one now. */
export function keepReadable(app: HTMLElement, signal: AbortSignal): () => void {
  const probe = document.createElement("span");
  probe.hidden = true;
  const read = (token: string): Colour | undefined => {
    // A mix is always told in sRGB, however the colour was written.
    probe.style.color = `color-mix(in srgb, var(${token}) 100%, transparent)`;
    return parse(getComputedStyle(probe).color);
  };
  const look = () => {
    app.style.removeProperty("--accent");
    app.append(probe);
    const [accent, ...grounds] = ["--accent", "--ground", "--surface"].map(read);
    probe.remove();
    if (!accent || grounds.some((ground) => !ground)) return; // a browser that cannot mix
    const colour = readable(accent, grounds as Colour[]);
    if (colour.some((c, i) => c !== accent[i])) app.style.setProperty("--accent", `color(srgb ${colour.join(" ")})`);
  };
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", look, { signal });
  return look;
}
