// What the loader (widget.js) and the script that it loads have to say to each other. Pages
// and caches keep old loaders, which meet new widgets: what is here is only added to. A
// change that an old loader would not survive is a new number.

/** The number of this contract, the first argument of boot. */
export const contract = 1;

/** What the host page asks for: attributes data-… of the script tag, or create(settings). */
export interface Settings {
  /** Where the server is; by default where the loader came from. */
  base?: string;
  assistant?: string;
  /** The browser's by default. */
  locale?: string;
  /** The side of the window at which the launcher stands: end by default. */
  position?: "start" | "end";
  /** auto by default: as the visitor's system. */
  colorScheme?: "auto" | "light" | "dark";
  /** Before the assistant's own colour; --chat-accent in the host's style goes before both. */
  accent?: string;
  /** The signed identity of the visitor, where the host knows them. */
  identity?: string;
  /** shadow (default), or iframe: the token and the words are out of the host page's reach. */
  mode?: "shadow" | "iframe";
  /** off: no button; the host page opens the chat. */
  launcher?: Switch;
  /** session: forgotten when the tab closes. local by default. */
  storage?: "local" | "session";
  /** on: open from the start. */
  open?: Switch;
  /** off: new messages are not counted in the document's title. */
  title?: Switch;
  /** A selector or an element: the chat is drawn inside it, always open, without a launcher. */
  container?: string | Element;
  /** What is known of the visit, kept with conversations that begin. */
  context?: Record<string, unknown>;
}

/** As attributes these are words. */
export type Switch = boolean | "on" | "off";

/** An attribute without a value, data-open, is on. */
export const isOn = (value: Switch | string | undefined, otherwise: boolean): boolean =>
  value === undefined ? otherwise : value === true || ["on", "true", ""].includes(String(value));

/** What the loader hands over. */
export interface Env {
  base: string;
  settings: Settings;
  /** The element in the host page, and the shadow root in it. */
  host: HTMLElement;
  root: ShadowRoot;
  /** The button, if there is one. From now on it is the widget's. */
  launcher?: HTMLButtonElement;
  /** Tells the host page's listeners. */
  emit(event: EventName, detail?: unknown): void;
  /** Takes everything off the page: the assistant is switched off. */
  remove(): void;
}

export type EventName = "ready" | "open" | "close" | "message" | "sent" | "unread" | "error" | "handoff" | "ended" | "conversation" | "identity";

/** What the loaded script exports. A call that it does not know is none of its business. */
export type Boot = (version: number, env: Env) => Handle;

export interface Handle {
  call(method: string, args: readonly unknown[]): void;
  destroy(): void;
}
