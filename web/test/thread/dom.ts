// A document for components, and what tests do with it. To be imported first.

import { Window } from "happy-dom";
import { render, type ComponentChild } from "preact";
import { act } from "preact/test-utils";

const window = new Window({ url: "https://shop.example/" });
for (const name of ["document", "HTMLElement", "Element", "Node", "Event", "KeyboardEvent", "InputEvent", "MouseEvent", "ResizeObserver", "MutationObserver", "IntersectionObserver", "matchMedia", "getComputedStyle"] as const) {
  Object.defineProperty(globalThis, name, { value: (window as never)[name], configurable: true, writable: true });
}
Object.defineProperty(globalThis, "window", { value: window, configurable: true });
Object.defineProperty(globalThis, "requestAnimationFrame", { value: (f: FrameRequestCallback) => setTimeout(f, 0), configurable: true, writable: true });

export interface Mount {
  root: HTMLElement;
  draw(node: ComponentChild): void;
  /** The one element that a selector finds. */
  find<E extends HTMLElement = HTMLElement>(selector: string): E;
  all(selector: string): HTMLElement[];
  click(selector: string): void;
  type(selector: string, text: string): void;
  key(selector: string, key: string, more?: KeyboardEventInit): KeyboardEvent;
  unmount(): void;
}

export function mount(node: ComponentChild): Mount {
  const root = document.createElement("div");
  document.body.append(root);
  const draw = (next: ComponentChild) => void act(() => render(next, root));
  const find = <E extends HTMLElement = HTMLElement>(selector: string): E => {
    const all = root.querySelectorAll<E>(selector);
    if (all.length !== 1) throw new Error(`${all.length} elements match ${selector} in ${root.innerHTML}`);
    return all[0]!;
  };
  const fire = (selector: string, event: Event) => void act(() => void find(selector).dispatchEvent(event));
  draw(node);
  return {
    root,
    draw,
    find,
    all: (selector) => [...root.querySelectorAll<HTMLElement>(selector)],
    click: (selector) => void act(() => find(selector).click()),
    type(selector, text) {
      find<HTMLInputElement>(selector).value = text;
      fire(selector, new InputEvent("input", { bubbles: true }));
    },
    key(selector, key, more = {}) {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
      fire(selector, event);
      return event;
    },
    unmount() {
      draw(null);
      root.remove();
    },
  };
}

export { act };
