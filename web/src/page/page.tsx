// The customer's page at /, and the frame at /embed. The server has drawn the beginning of
// a conversation already; this takes its elements over.

import "../shell/tokens.css";
import "../shell/shell.css";
import "../shell/history.css";
import "../thread/thread.css";
import "./page.css";
import { createChat } from "../core/chat.ts";
import { patiently } from "../core/words.ts";
import type { State } from "../core/types.ts";
import { History } from "../shell/History.tsx";
import { mount } from "../shell/mount.tsx";
import { titleCounter } from "../shell/title.ts";
import { perform, report } from "../widget/bridge.ts";
import { outside, type Outside } from "../widget/frame.ts";

const app = document.getElementById("app")!;
const early = holdForm(app);
// Not awaited here: the second script imports from this one, and would wait for its end.
void (app.classList.contains("embed") ? outside() : Promise.resolve(undefined)).then(begin);

async function begin(host: Outside | undefined): Promise<void> {
  const asked = host?.settings ?? {};
  const query = new URLSearchParams(location.search);
  const locale = asked.locale ?? query.get("locale") ?? undefined;
  const { storage, identity, context } = asked;
  const chat = createChat({ base: "", assistant: query.get("assistant") ?? undefined, locale, accent: asked.accent, storage, identity, context, stays: !host });
  const known = new Promise<void>((resolve) => {
    const look = (state: State) => (state.settings || state.failed) && resolve();
    chat.subscribe(look);
    look(chat.state);
  });

  let shown = !host;
  const looks = () => shown && !document.hidden;
  const count = titleCounter();
  const see = () => {
    chat.visible(looks());
    if (!host) count(looks() ? 0 : chat.state.unread);
  };
  document.addEventListener("visibilitychange", see);

  const started = chat.start();
  // Until both are here the page stays as the server has drawn it.
  const forever = new AbortController().signal; // the page lives as long as it is open
  let [t] = await Promise.all([patiently(locale ?? navigator.language, forever), known]);
  const draft = early.draft();
  const mounted = mount(app, {
    chat, t, base: "", page: !host, history: History, scheme: asked.colorScheme, seen: looks,
    onClose: host && (() => host.tell({ answerable: 1, close: true })),
    onNotification: () => host?.tell({ answerable: 1, open: true }),
  });
  early.release(draft, chat.send);

  const tell = () => {
    const { settings, unread } = chat.state;
    see();
    if (!host) return;
    if (settings?.enabled === false) return host.tell({ answerable: 1, off: true });
    const label = unread > 0 ? t("shell.open_unread", { n: unread }) : t("shell.open");
    host.tell({ answerable: 1, title: settings?.title || t("shell.title"), label, unread });
  };
  const speak = async (wanted: string): Promise<void> => {
    t = await patiently(wanted, forever);
    mounted.words(t);
    tell();
  };
  chat.subscribe(tell);
  tell();
  if (host) {
    report(chat, false, host.emit);
    host.answer({
      shown(on) {
        shown = on;
        see();
        if (on) mounted.focus();
      },
      call(method, args) {
        perform(chat, method, args);
        if (method === "setLocale") void speak(String(args[0]));
      },
    });
    app.addEventListener("keydown", (e) => {
      if (e.key === "Escape" && !e.defaultPrevented && !e.isComposing) host.tell({ answerable: 1, close: true });
    });
    return;
  }

  // Addresses of conversations that this browser knows: /#c=ID.
  await started;
  const follow = () => {
    const id = new URLSearchParams(location.hash.slice(1)).get("c");
    if (id) chat.open(id);
  };
  window.addEventListener("hashchange", follow);
  follow();
}

interface Draft {
  text: string;
  focused: boolean;
}

/** The server's form works without script. What is written or sent before the script is
 * ready is not lost, and does not leave the page. */
function holdForm(app: HTMLElement): { draft(): Draft; release(draft: Draft, send: (text: string) => void): void } {
  const held: string[] = [];
  const field = () => app.querySelector("textarea");
  const hold = (e: SubmitEvent) => {
    e.preventDefault();
    const pressed = e.submitter as HTMLButtonElement | null;
    const suggested = pressed?.name === "suggestion";
    const text = (suggested ? pressed.value : (field()?.value ?? "")).trim();
    if (pressed?.name === "act" || text === "") return;
    held.push(text);
    if (!suggested) field()!.value = "";
  };
  app.addEventListener("submit", hold);
  return {
    draft: () => ({ text: field()?.value ?? "", focused: document.activeElement === field() }),
    release({ text, focused }, send) {
      app.removeEventListener("submit", hold);
      held.forEach(send);
      const now = field();
      if (now && text) {
        now.value = text;
        now.dispatchEvent(new Event("input", { bubbles: true }));
      }
      if (focused) now?.focus();
    },
  };
}
