// Where the keyboard goes on. A control that has done its work often goes: a suggestion, a
// form, the consent. Browsers then put the focus on the page's beginning, far from here.

const field = "[data-focus]"; // the composer, or what is in its place
const log = ".scroller";

/** Puts the focus where one goes on. */
export function focusThread(root: ParentNode): void {
  const at = root.querySelector<HTMLElement>(`.thread ${field}`) ?? root.querySelector<HTMLElement>(`.thread ${log}`);
  at?.focus();
}

/** Does so whenever what had the focus in the thread goes or is disabled, until the
 * returned function is called. */
export function keepFocus(thread: HTMLElement): () => void {
  const root = thread.getRootNode() as Document | ShadowRoot;
  let last: HTMLElement | undefined; // has the focus, or had it when it went
  const gone = (it: HTMLElement) => !it.isConnected || it.matches(":disabled");

  const came = (e: FocusEvent) => (last = e.target as HTMLElement);
  // Whoever leaves by themselves is left alone. What goes may be told of before it is gone.
  const left = () =>
    queueMicrotask(() => {
      if (last && !gone(last) && root.activeElement !== last) last = undefined;
    });
  const changed = () => {
    if (!last || !gone(last)) return;
    const at = root.activeElement ?? document.activeElement;
    if (at && at !== last && at !== document.body) return void (last = undefined); // it is elsewhere already
    const next = thread.querySelector<HTMLElement>(field); // if it is still to be drawn, then
    // On a touch screen a field brings up the keyboard, which nobody has asked for.
    const silent = next?.matches("textarea") && matchMedia("(pointer: coarse)").matches;
    (silent ? thread.querySelector<HTMLElement>(log) : next)?.focus({ preventScroll: true });
  };

  thread.addEventListener("focusin", came);
  thread.addEventListener("focusout", left);
  const observer = new MutationObserver(changed);
  observer.observe(thread, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
  return () => {
    thread.removeEventListener("focusin", came);
    thread.removeEventListener("focusout", left);
    observer.disconnect();
  };
}
