// The iframe mode, on the host page's side: the box is the same, and in it is a frame of
// the server's own origin. The conversation and its token are out of the page's reach.

import { whoIs } from "../core/identity.ts";
import { placeOf } from "../core/storage.ts";
import type { Boot, Settings } from "./contract.ts";
import { isLetter, type Inward, type Outward } from "./letters.ts";
import { createSurface } from "./surface.ts";

/** The properties of the look, which do not cross the frame's border by themselves. */
const look = ["accent", "on-accent", "radius", "font", "font-size", "ground", "surface", "ink", "soft", "line"].map((name) => `--chat-${name}`);

export const boot: Boot = (_version, env) => {
  const { base, settings, host, emit } = env;
  const address = new URL(`${base}/embed`, location.href);
  if (settings.assistant) address.searchParams.set("assistant", settings.assistant);
  if (settings.locale) address.searchParams.set("locale", settings.locale);
  address.hash = `origin=${encodeURIComponent(location.origin)}`;

  const surface = createSurface(env, (open) => {
    send({ answerable: 1, shown: open });
    if (open) frame.focus();
    emit(open ? "open" : "close");
  });
  const frame = document.createElement("iframe");
  frame.allow = "clipboard-write";
  frame.src = address.href;

  const { container, ...own } = settings;
  let begin: Settings = own; // what the frame begins with, also when it is loaded anew because the box was moved

  /** Keeps what a call changes for good. */
  function keep(method: string, given: unknown): void {
    if (method === "identify" && typeof given === "string") {
      const other = begin.identity !== undefined && whoIs(begin.identity)?.id !== whoIs(given)?.id; // which is a log-out
      begin = { ...begin, identity: given, ...(other && { context: undefined }) };
    }
    if (method === "setLocale" && typeof given === "string") begin = { ...begin, locale: given };
    if (method === "setContext" && typeof given === "object") begin = { ...begin, context: { ...begin.context, ...given } };
    if (method !== "logout") return;
    begin = { ...begin, identity: undefined, context: undefined };
    remember(false);
  }

  /** The frame keeps conversations where the loader cannot look. That there is one is
   * written down here, so that it is fetched on the next visit. */
  function remember(on: boolean): void {
    try {
      const storage = settings.storage === "session" ? sessionStorage : localStorage;
      const place = placeOf(base, settings.assistant ?? "");
      if (on) storage.setItem(place, "1");
      else storage.removeItem(place);
    } catch {
      // the host page or the browser allows no storage
    }
  }

  let waiting: Inward[] | undefined = surface.isOpen ? [{ answerable: 1, shown: true }] : [];
  function send(letter: Inward): void {
    if (waiting) waiting.push(letter);
    else frame.contentWindow?.postMessage(letter, address.origin);
  }

  function hear({ source, origin, data }: MessageEvent<Outward>): void {
    if (source !== frame.contentWindow || origin !== address.origin || !isLetter(data)) return;
    if ("hello" in data) start();
    else if ("close" in data) surface.close();
    else if ("open" in data) surface.open();
    else if ("off" in data) env.remove();
    else if ("unread" in data) {
      frame.title = data.title;
      surface.label(data.title, data.label);
      surface.unread(data.unread);
    } else if ("event" in data) {
      const { event, detail } = data;
      if (event === "conversation" && (detail as { conversation?: string }).conversation) remember(true);
      emit(event, detail);
    }
  }

  function start(): void {
    const style = getComputedStyle(host);
    const set = look.map((name) => [name, style.getPropertyValue(name)] as const).filter(([, value]) => value);
    const held = waiting ?? [{ answerable: 1, shown: surface.isOpen }]; // or the frame was loaded anew
    waiting = undefined;
    send({ answerable: 1, start: begin, look: Object.fromEntries(set) });
    held.forEach(send);
  }

  window.addEventListener("message", hear);
  surface.box.append(frame);
  return {
    call(method, args) {
      if (method === "open" || method === "close" || method === "toggle") return surface[method]();
      keep(method, args[0]);
      if (method === "send" || method === "newConversation") surface.open();
      send({ answerable: 1, call: method, args: [...args] });
    },
    destroy() {
      window.removeEventListener("message", hear);
      surface.destroy();
    },
  };
};
