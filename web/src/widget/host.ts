// The iframe mode, on the host page's side: the box is the same, and in it is a frame of
// the server's own origin. The conversation and its token are out of the page's reach.

import type { Boot, EventName } from "./contract.ts";
import { isLetter, type Inward, type Outward } from "./letters.ts";
import { createSurface } from "./surface.ts";

/** The properties of the look, which do not cross the frame's border by themselves. */
const look = ["accent", "on-accent", "font", "font-size", "ground", "surface", "ink", "soft", "line"].map((name) => `--chat-${name}`);

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
    } else if ("event" in data) emit(data.event as EventName, data.detail);
  }

  function start(): void {
    const { container, ...rest } = settings;
    const style = getComputedStyle(host);
    const set = look.map((name) => [name, style.getPropertyValue(name)] as const).filter(([, value]) => value);
    const held = waiting ?? [{ answerable: 1, shown: surface.isOpen }]; // or the frame was loaded anew
    waiting = undefined;
    send({ answerable: 1, start: rest, look: Object.fromEntries(set) });
    held.forEach(send);
  }

  window.addEventListener("message", hear);
  surface.box.append(frame);
  return {
    call(method, args) {
      if (method === "open" || method === "close" || method === "toggle") return surface[method]();
      if (method === "send" || method === "newConversation") surface.open();
      send({ answerable: 1, call: method, args: [...args] });
    },
    destroy() {
      window.removeEventListener("message", hear);
      surface.destroy();
    },
  };
};
