// Puts the shell into an element and keeps what belongs to one mount: the language, the
// colours, and what is told about news. The widget, its frame and the page all use it.

import { render } from "preact";
import { match, wordless, type T } from "../core/i18n.ts";
import type { Chat, State } from "../core/types.ts";
import { drawnIn, later } from "../later/later.ts";
import { focusThread } from "../thread/focus.ts";
import { keepPrefs, readPrefs } from "./prefs.ts";
import { Shell, type ShellProps } from "./Shell.tsx";
import { Unreachable } from "./Unreachable.tsx";

export interface MountOptions {
  chat: Chat;
  t: T;
  base: string;
  page: boolean;
  history?: ShellProps["history"];
  scheme?: "auto" | "light" | "dark";
  onClose?(): void;
  /** Somebody looks at the conversation. */
  seen(): boolean;
  /** A notification was pressed. */
  onNotification(): void;
}

export interface Mounted {
  /** Other words: the language was changed. */
  words(t: T): void;
  /** Puts the focus where one goes on. */
  focus(): void;
  destroy(): void;
}

export function mount(app: HTMLElement, options: MountOptions): Mounted {
  const { chat, seen } = options;
  let { t } = options;
  let prefs = readPrefs();
  const undrawn = drawnIn(app.getRootNode() as Document | ShadowRoot);
  app.dataset.scheme = options.scheme ?? "auto";

  function draw(): void {
    app.lang = match([t.locale]);
    app.dir = t.dir;
    const onPrefs = (chosen: typeof prefs) => {
      prefs = chosen;
      keepPrefs(prefs);
      draw();
    };
    render(<Shell chat={chat} t={t} base={options.base} prefs={prefs} onPrefs={onPrefs} onClose={options.onClose} page={options.page} history={options.history} />, app);
  }

  function colour({ settings }: State): void {
    if (settings) app.style.setProperty("--given-accent", `light-dark(${settings.accents.light}, ${settings.accents.dark})`);
  }

  const unsubscribe = chat.subscribe(colour);
  const unlisten = onMessage(chat, ({ name, text }) => {
    if (seen() || !(prefs.sound || prefs.notify)) return;
    later().then(
      ({ chime, notify }) => {
        if (prefs.sound) chime();
        if (prefs.notify) notify(name ?? chat.state.settings?.title ?? t("shell.title"), text, options.onNotification);
      },
      () => {}, // the message itself is there
    );
  });
  draw();
  colour(chat.state);

  return {
    words(other) {
      t = other;
      draw();
    },
    focus: () => focusThread(app),
    destroy() {
      unsubscribe();
      unlisten();
      undrawn();
      render(null, app);
    },
  };
}

/** Says, while there are no words to mount with, that there is nothing yet. */
export function unreachable(app: HTMLElement, onAgain: () => void, onClose?: () => void): void {
  render(<Unreachable t={wordless} onAgain={onAgain} onClose={onClose} />, app);
}

/** What the company has just said. */
export interface Message {
  conversation?: string;
  from: "assistant" | "agent";
  name?: string;
  text: string;
}

/** Calls back for each message of the company once it is complete. */
export function onMessage(chat: Chat, heard: (message: Message) => void): () => void {
  return chat.onEvent((kind, item) => {
    const conversation = chat.state.thread.id;
    if (kind === "agent.message" && item?.type === "agent") heard({ conversation, from: "agent", name: item.name, text: item.text });
    if (kind === "turn.ended" && item?.type === "answer" && item.text) heard({ conversation, from: "assistant", text: item.text });
  });
}
