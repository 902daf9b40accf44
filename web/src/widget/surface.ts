// The panel as the host page sees it: a box that opens and closes over the page, the button
// that does so, and the signs of news outside it. What is in the box is somebody else's.

import { isOn, type Env } from "./contract.ts";
import { titleCounter } from "../shell/title.ts";
import { addStyle } from "./sheet.ts";
import css from "./surface.css?inline";

export interface Surface {
  /** What is drawn goes in here. */
  readonly box: HTMLElement;
  readonly isOpen: boolean;
  open(): void;
  close(): void;
  toggle(): void;
  /** Names the box; the button says label, which tells what is unread. */
  label(title: string, label: string): void;
  unread(n: number): void;
  destroy(): void;
}

/** The whole window belongs to the chat on phones. The same condition is in surface.css. */
const fullScreen = "(max-width: 480px), (max-height: 480px)";

let surfaces = 0;

export function createSurface(env: Env, changed: (open: boolean) => void): Surface {
  const { root, host, launcher, settings } = env;
  const inline = host.hasAttribute("data-inline");
  const id = `answerable-${++surfaces}`;
  const ended = new AbortController();
  const listening = { signal: ended.signal };
  const full = matchMedia(fullScreen);

  addStyle(root, css);
  // Shown as a modal dialog, the browser itself keeps the focus inside and everything else
  // out of reach; beside the page it is an ordinary part of it.
  const box = document.createElement(inline ? "section" : "dialog") as HTMLDialogElement;
  box.id = id;
  box.className = launcher || inline ? "panel" : "panel nolauncher";
  box.setAttribute("part", "panel");
  box.tabIndex = -1;
  if (!inline) box.setAttribute("role", "dialog");
  root.append(box);

  const talk = launcher?.querySelector("svg");
  if (talk) {
    const down = talk.cloneNode(true) as SVGElement;
    talk.setAttribute("class", "talk");
    down.setAttribute("class", "down");
    down.firstElementChild!.setAttribute("d", "m6 9.5 6 6 6-6");
    talk.after(down);
  }
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.hidden = true;
  badge.setAttribute("aria-hidden", "true");
  launcher?.append(badge);
  launcher?.setAttribute("aria-controls", id);
  launcher?.addEventListener("click", () => (isOpen ? close() : open()), listening);

  let isOpen = inline; // and stays so
  let before: Element | null = null; // what had the focus

  function open(): void {
    if (isOpen) return;
    isOpen = true;
    if (!inline) {
      before = document.activeElement === host ? null : document.activeElement;
      show();
      remember();
    }
    launcher?.setAttribute("aria-expanded", "true");
    retitle();
    changed(true);
  }

  function close(): void {
    if (!isOpen || inline) return;
    isOpen = false;
    const inside = root.activeElement !== null || document.activeElement === host;
    box.close();
    launcher?.setAttribute("aria-expanded", "false");
    forget();
    if (inside) (before instanceof HTMLElement && before !== document.body && before.isConnected ? before : launcher)?.focus();
    retitle();
    changed(false);
  }

  function show(): void {
    if (full.matches) box.showModal();
    else box.show();
    box.setAttribute("aria-modal", String(full.matches));
    follow();
  }

  // A window that is turned or resized while the panel is open.
  full.addEventListener(
    "change",
    () => {
      if (!isOpen || inline) return;
      const focused = root.activeElement as HTMLElement | null;
      box.close();
      show();
      focused?.focus();
      if (full.matches) remember();
      else forget();
    },
    listening,
  );

  // The system's way back, on phones that have one for dialogs.
  box.addEventListener("cancel", (e) => {
    if (e.target !== box) return;
    e.preventDefault(); // what closes is to be told everywhere
    close();
  });
  box.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && !e.defaultPrevented && !e.isComposing) close();
    if (e.key === "Tab" && full.matches && !inline) stayInside(e);
  });

  /** From the last control to the first and back, without a way through the browser's bars. */
  function stayInside(e: KeyboardEvent): void {
    const controls = [...box.querySelectorAll<HTMLElement>("a[href], button, textarea, input, select, summary, [tabindex]")].filter(
      (it) => it.tabIndex >= 0 && !it.matches(":disabled, [inert] *") && it.checkVisibility(),
    );
    const [from, to] = e.shiftKey ? [controls[0], controls.at(-1)] : [controls.at(-1), controls[0]];
    if (root.activeElement !== from && root.activeElement !== box) return;
    e.preventDefault();
    to?.focus();
  }

  // Keys that are typed here are not the host page's shortcuts.
  for (const type of ["keydown", "keypress", "keyup"]) host.addEventListener(type, (e) => e.stopPropagation(), listening);

  // The keyboard of a phone covers the window without making it smaller.
  function follow(): void {
    const view = window.visualViewport;
    if (!view || !isOpen || !full.matches || view.scale > 1.01) return;
    box.style.setProperty("--view-height", `${view.height}px`);
    box.style.setProperty("--view-top", `${view.offsetTop}px`);
  }
  for (const type of ["resize", "scroll"]) window.visualViewport?.addEventListener(type, follow, listening);

  // The phone's back button closes a panel that fills the window: it has an entry in the
  // history for as long as it is open. Whatever else the state holds is the host page's.
  let entered = false;
  function remember(): void {
    if (!full.matches || entered) return;
    try {
      history.pushState({ ...history.state, answerable: id }, "");
      entered = true;
    } catch {
      // a sandboxed page has no history
    }
  }
  function forget(): void {
    if (entered && history.state?.answerable === id) history.back();
    entered = false;
  }
  window.addEventListener(
    "popstate",
    () => {
      if (!entered || history.state?.answerable === id) return;
      entered = false;
      close();
    },
    listening,
  );

  // The count in the title is for whoever looks at another tab, or has the panel closed.
  let news = 0;
  const count = isOn(settings.title, true) ? titleCounter() : undefined;
  const retitle = () => count?.(isOpen && !document.hidden ? 0 : news);
  document.addEventListener("visibilitychange", retitle, listening);

  return {
    box,
    get isOpen() {
      return isOpen;
    },
    open,
    close,
    toggle: () => (isOpen ? close() : open()),
    label(title, label) {
      box.setAttribute("aria-label", title);
      launcher?.setAttribute("aria-label", label);
    },
    unread(n) {
      news = n;
      badge.hidden = n === 0;
      badge.dataset.count = n > 99 ? "99+" : String(n); // drawn by the style: the button's label says it in words
      retitle();
    },
    destroy() {
      ended.abort();
      news = 0;
      retitle();
      forget();
      box.remove();
    },
  };
}
