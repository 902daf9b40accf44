// A browser's window for the shell and the loader, made before they are imported.

import { Window } from "happy-dom";

export const window = new Window({ url: "https://shop.example/boots", width: 1200, height: 900 });

for (const name of [
  "window", "document", "navigator", "location", "history", "localStorage", "sessionStorage", "HTMLElement", "Element", "Node", "Event", "KeyboardEvent",
  "MouseEvent", "PointerEvent", "CustomEvent", "MutationObserver", "ResizeObserver", "IntersectionObserver", "CSSStyleSheet", "matchMedia", "getComputedStyle",
] as const) {
  const value = name === "window" ? window : (window as never)[name];
  Object.defineProperty(globalThis, name, { value: typeof value === "function" && /^[a-z]/.test(name) ? (value as () => unknown).bind(window) : value, configurable: true, writable: true });
}
Object.defineProperty(globalThis, "requestAnimationFrame", { value: (f: FrameRequestCallback) => setTimeout(() => f(0), 0), configurable: true, writable: true });

Object.defineProperty(globalThis, "cancelAnimationFrame", { value: clearTimeout, configurable: true, writable: true });

/** The errors that the page would be told of. */
export const reported: unknown[] = [];
Object.defineProperty(globalThis, "reportError", { value: (err: unknown) => reported.push(err), configurable: true });

/** Has a media query match or not, and tells those who listen. */
const queries = new Map<string, { matches: boolean; listeners: Set<() => void> }>();
const query = (text: string) => {
  const it = queries.get(text) ?? { matches: false, listeners: new Set<() => void>() };
  queries.set(text, it);
  return it;
};
Object.defineProperty(globalThis, "matchMedia", {
  configurable: true,
  value: (text: string) => ({
    get matches() {
      return query(text).matches;
    },
    addEventListener: (_: string, listener: () => void, options?: { signal?: AbortSignal }) => {
      query(text).listeners.add(listener);
      options?.signal?.addEventListener("abort", () => query(text).listeners.delete(listener));
    },
    removeEventListener: (_: string, listener: () => void) => query(text).listeners.delete(listener),
  }),
});

export function media(part: string, matches: boolean): void {
  for (const [text, it] of queries) {
    if (!text.includes(part)) continue;
    it.matches = matches;
    for (const listener of it.listeners) listener();
  }
}

/** Waits for a condition, not for a time. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = Date.now() + 20_000; // a wait in vain
  while (!holds()) {
    if (Date.now() > limit) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
