// What most visits never need is in a second script: forms, files, ratings, the menu, the
// list, people who answer. It is loaded when the first of it is needed.

import { complete, type T } from "../core/i18n.ts";
import { addStyle } from "../widget/sheet.ts";

export type Parts = typeof import("./parts.ts");

/** Once they are here. */
export let parts: Parts | undefined;

let loading: Promise<Parts> | undefined;

/** Where they are drawn, which needs their styles. */
const roots = new Set<DocumentOrShadowRoot>();

/** Loads them, once, with their words in the language of t. After a failure the next call
 * tries again. */
export async function later(t?: T): Promise<Parts> {
  const all = await script();
  if (t) await complete(t, all.words);
  return all;
}

/** Begins to load them, for a control that is about to be used. */
export function soon(t: T): void {
  later(t).catch(() => {}); // whoever uses it says so
}

function script(): Promise<Parts> {
  loading ??= import("./parts.ts").then(
    (all) => {
      parts = all;
      for (const root of roots) addStyle(root, all.style);
      return all;
    },
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/** Parts may be drawn below this root, until the returned function is called. */
export function drawnIn(root: DocumentOrShadowRoot): () => void {
  if (parts && !roots.has(root)) addStyle(root, parts.style);
  roots.add(root);
  return () => void roots.delete(root);
}
