// The loader, /widget.js: all that a host page pays for until somebody wants to talk. It
// draws the button and fetches the widget when a pointer or the focus comes near, when a
// call needs it, or in an idle moment if a conversation is stored.
//
// Its one name is window.Answerable. Before this script has run it may be an array of calls
// (["open"], ["on", "message", f]); afterwards it is the object that answers them.

import { contract, isOn, type Boot, type Env, type EventName, type Handle, type Settings } from "./contract.ts";
import { addStyle } from "./sheet.ts";
import { settingsPath } from "../core/settings.ts";
import { placeOf } from "../core/storage.ts";
import css from "./launcher.css?inline";

declare const __WIDGET__: string; // assets/widget-HASH.js
declare const __FRAME__: string; // assets/frame-HASH.js

type Listener = (detail?: unknown) => void;
type Call = [name: string, ...args: unknown[]];

/** One chat on the page. */
interface Instance {
  on(event: EventName, listener: Listener): void;
  off(event: EventName, listener: Listener): void;
  destroy(): void;
  [method: string]: (...args: never[]) => unknown;
}

const methods = ["open", "close", "toggle", "identify", "logout", "setContext", "setLocale", "send", "newConversation"];

const script = (document.currentScript ?? document.querySelector('script[src*="/widget.js"]')) as HTMLScriptElement | null;
const tag: Settings = { base: script?.src.replace(/\/widget\.js.*/s, ""), ...script?.dataset };

const instances = new Map<string, Instance>();

/** Puts a chat on the page. Without settings it is as the script tag says. For what is
 * there already, that one is returned. */
function create(asked: Settings = tag): Instance {
  const { base = tag.base ?? "", assistant = "", container } = asked;
  const settings: Settings = { ...asked, base };
  const name = [base, assistant, typeof container === "string" ? container : container ? ++elements : ""].join(" ");
  const existing = instances.get(name);
  if (existing) return existing;

  const host = document.createElement("answerable-chat");
  const root = host.attachShadow({ mode: "open" });
  const listeners = new Map<string, Set<Listener>>();
  const waiting: Call[] = [];
  let handle: Handle | undefined;
  let loading = false;
  let attempts = 0;
  let ready = false;
  let gone = false;

  const env: Env = { base, settings, host, root, emit, remove: destroy };

  function emit(event: EventName, detail?: unknown): void {
    if (event === "ready") ready = true;
    for (const listener of [...(listeners.get(event) ?? [])]) tell(listener, detail);
  }

  function call(method: string, args: unknown[]): void {
    if (gone) return;
    if (handle) return handle.call(method, args);
    waiting.push([method, ...args]);
    if (!/^(close|set)/.test(method)) load();
  }

  function load(): void {
    if (handle || loading || gone) return;
    loading = true;
    const first = settings.mode === "iframe" ? __FRAME__ : __WIDGET__;
    // A name that the server does not know any more gets the file of today. A browser may
    // not ask for a failed one again, so each attempt has a new name.
    const path = attempts === 0 ? first : first.replace(/-\w+\.js$/, `-${attempts - 1}.js`);
    import(/* @vite-ignore */ `${base}/${path}`).then(
      ({ boot }: { boot: Boot }) => {
        loading = false;
        if (gone) return;
        const made = (handle = boot(contract, env));
        busy();
        for (const [method, ...args] of waiting.splice(0)) tell(() => made.call(method, args));
      },
      (err: unknown) => {
        loading = false;
        if (gone) return;
        if (++attempts === 1) return load();
        waiting.length = 0;
        busy();
        emit("error", { message: `The chat could not be loaded: ${err}` });
      },
    );
  }

  function busy(): void {
    env.launcher?.setAttribute("aria-busy", String(loading && waiting.length > 0));
  }

  function draw(): void {
    if (gone) return;
    const parent = typeof container === "string" ? document.querySelector(container) : (container ?? document.body);
    if (!parent) {
      destroy();
      throw new Error(`Answerable: no element matches ${container}. Call Answerable.create once it is there.`);
    }
    addStyle(root, css);
    host.dataset.scheme = settings.colorScheme ?? "auto";
    host.dataset.position = settings.position ?? "end";
    host.toggleAttribute("data-inline", !!container);
    if (!container && isOn(settings.launcher, true)) root.append((env.launcher = button()));
    parent.append(host);
    if (container) load();
    else stay();
    if (waiting.some(([method]) => method === "open") || isOn(settings.open, false)) call("open", []);
    if (remembered()) (window.requestIdleCallback ?? setTimeout)(load);
    ask();
  }

  function button(): HTMLButtonElement {
    const it = document.createElement("button");
    for (const [name, value] of Object.entries({ class: "launcher", part: "launcher", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-label": "Chat" })) {
      it.setAttribute(name, value);
    }
    const svg = it.appendChild(document.createElementNS(space, "svg"));
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.appendChild(document.createElementNS(space, "path")).setAttribute("d", bubble);
    for (const near of ["pointerenter", "focus"]) it.addEventListener(near, load);
    it.addEventListener("click", () => {
      if (handle) return; // from now on the widget listens
      call("open", []);
      busy();
    });
    return it;
  }

  // Some single-page frameworks put a new body in place of the old one.
  const observer = new MutationObserver(stay);
  function stay(): void {
    if (!host.isConnected) document.body?.append(host);
    observer.disconnect();
    observer.observe(document.documentElement, { childList: true });
    if (document.body) observer.observe(document.body, { childList: true });
  }

  function remembered(): boolean {
    if (settings.identity) return true;
    try {
      return (settings.storage === "session" ? sessionStorage : localStorage).getItem(placeOf(base, assistant)) !== null;
    } catch {
      return false; // the host page or the browser allows no storage
    }
  }

  /** Learns the colour, what the button is called in this language, and whether the assistant
   * is switched on at all. */
  async function ask(): Promise<void> {
    try {
      // The address that the widget asks for as well: the browser has the answer then.
      const response = await fetch(base + settingsPath(assistant, settings.locale ?? navigator.language, settings.accent), { credentials: "omit" });
      const { enabled, accents, open } = await response.json();
      if (enabled === false) return destroy();
      host.style.setProperty("--given-accent", accents.light);
      if (!handle) env.launcher?.setAttribute("aria-label", open);
    } catch {
      // the widget says so when somebody wants to talk
    }
    if (!gone) emit("ready");
  }

  function destroy(): void {
    gone = true;
    document.removeEventListener("DOMContentLoaded", draw);
    observer.disconnect();
    handle?.destroy();
    host.remove();
    listeners.clear();
    instances.delete(name);
  }

  const instance: Instance = {
    on(event, listener) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
      if (event === "ready" && ready) tell(listener);
    },
    off: (event, listener) => void listeners.get(event)?.delete(listener),
    destroy,
  };
  for (const method of methods) instance[method] = (...args: unknown[]) => call(method, args);
  instances.set(name, instance);
  if (document.readyState === "loading" && (container || !document.body)) document.addEventListener("DOMContentLoaded", draw, { once: true });
  else draw();
  return instance;
}

let elements = 0;

/** Calls the host page's listener, or does what it asked for: the errors are the host page's. */
function tell(listener: Listener, detail?: unknown): void {
  try {
    listener(detail);
  } catch (err) {
    reportError(err);
  }
}

const space = "http://www.w3.org/2000/svg";
const bubble = "M4 7a3.5 3.5 0 0 1 3.5-3.5h9A3.5 3.5 0 0 1 20 7v6a3.5 3.5 0 0 1-3.5 3.5h-4l-4.3 3.7c-.6.5-1.5.1-1.5-.7v-3.1A3.5 3.5 0 0 1 4 13z";

interface Api {
  push(...calls: Call[]): void;
  create: typeof create;
  version: string;
  [method: string]: unknown;
}

const global = window as { Answerable?: Api | Call[] };
const before = global.Answerable;
if (before && "version" in before) {
  before.create(tag); // a second tag on the page
} else {
  const api: Api = {
    version: /-(\w+)\.js$/.exec(__WIDGET__)?.[1] ?? "",
    create,
    push(...calls) {
      for (const [name, ...args] of calls) tell(() => (api[name] as (...args: unknown[]) => void)(...args));
    },
  };
  // The names act on the first chat of the page.
  for (const name of [...methods, "on", "off", "destroy"]) {
    api[name] = (...args: never[]) => instances.values().next().value?.[name]?.(...args);
  }
  global.Answerable = api;
  tell(() => create());
  if (Array.isArray(before)) api.push(...before);
}
