// The widget: the chat in the host page's own document, behind a shadow border.

import { createChat } from "../core/chat.ts";
import type { T } from "../core/i18n.ts";
import { patiently } from "../core/words.ts";
import { mount, unreachable, type Mounted } from "../shell/mount.tsx";
import { perform, report } from "./bridge.ts";
import type { Boot } from "./contract.ts";
import { addStyle } from "./sheet.ts";
import { createSurface } from "./surface.ts";
import tokens from "../shell/tokens.css?inline";
import shellStyle from "../shell/shell.css?inline";
import threadStyle from "../thread/thread.css?inline";

export const boot: Boot = (_version, env) => {
  const { base, settings, host, root, emit } = env;
  addStyle(root, tokens + shellStyle + threadStyle);
  const { assistant, storage, identity, context } = settings;
  const chat = createChat({ base, assistant, locale: settings.locale, accent: settings.accent, storage, identity, context });

  const looks = () => surface.isOpen && !document.hidden;
  const see = () => chat.visible(looks());
  const surface = createSurface(env, (open) => {
    see();
    mounted?.focus();
    emit(open ? "open" : "close");
  });
  document.addEventListener("visibilitychange", see);

  const app = document.createElement("div");
  app.className = "app panel-app";
  surface.box.append(app);
  let t: T | undefined;
  let mounted: Mounted | undefined;
  const ended = new AbortController();
  const inline = host.hasAttribute("data-inline");
  const close = inline ? undefined : surface.close;

  let wanted = "";
  async function speak(locale: string): Promise<void> {
    wanted = locale;
    const failed = (again: () => void) => mounted ?? unreachable(app, again, close);
    const words = await patiently(locale, ended.signal, failed).catch(() => undefined); // it ended
    if (!words || ended.signal.aborted || wanted !== locale) return;
    t = words;
    if (mounted) mounted.words(t);
    else {
      mounted = mount(app, {
        chat, t, base, page: false, scheme: settings.colorScheme, seen: looks,
        onClose: close,
        onNotification: surface.open,
      });
      if (surface.isOpen && !inline) mounted.focus();
    }
    tell();
  }

  /** What is to be seen from outside. */
  function tell(): void {
    const { settings: known, unread } = chat.state;
    if (known?.enabled === false) return env.remove();
    if (!t) return;
    surface.label(known?.title || t("shell.title"), unread > 0 ? t("shell.open_unread", { n: unread }) : t("shell.open"));
    surface.unread(unread);
  }

  const unsubscribe = chat.subscribe(tell);
  const unreport = report(chat, true, emit);
  void chat.start();
  void speak(settings.locale ?? navigator.language);
  if (inline) see();

  return {
    call(method, args) {
      switch (method) {
        case "open":
        case "close":
        case "toggle":
          return surface[method]();
        case "setLocale":
          perform(chat, method, args);
          return void speak(String(args[0]));
        case "send":
        case "newConversation":
          surface.open();
      }
      perform(chat, method, args);
    },
    destroy() {
      ended.abort();
      document.removeEventListener("visibilitychange", see);
      unsubscribe();
      unreport();
      mounted?.destroy();
      surface.destroy();
      chat.destroy();
    },
  };
};
