// Text that pretends to be other text.

/** Characters that turn the reading direction of what follows: embeddings, overrides,
 * isolates and marks. Whoever draws foreign text isolates it as a whole instead. */
const controls = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

export function withoutBidi(text: string): string {
  return text.replace(controls, "");
}

/** Also without what has no width (spaces, soft hyphens, tags), so that two labels that
 * look alike are alike. Joiners stay: emoji and Indic scripts need them. */
export function visible(text: string): string {
  return withoutBidi(text).replace(/[\u00AD\u180E\u200B\u2060-\u2065\u206A-\u206F\uFEFF]|\u{E0001}|[\u{E0020}-\u{E007F}]/gu, "");
}
