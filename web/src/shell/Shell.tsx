import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import type { Chat } from "../core/types.ts";
import { focusThread, Thread } from "../thread/index.tsx";
import { EndDialog } from "./EndDialog.tsx";
import { Header } from "./Header.tsx";
import { History } from "./History.tsx";
import { Menu, type MenuItem } from "./Menu.tsx";
import { canNotify, chime, mayNotify } from "./news.ts";
import type { Prefs } from "./prefs.ts";
import { useChat } from "./useChat.ts";

export interface ShellProps {
  chat: Chat;
  t: T;
  base: string;
  prefs: Prefs;
  onPrefs(prefs: Prefs): void;
  /** A panel can be closed. */
  onClose?(): void;
  /** A page of its own: the list stands beside the conversation where there is room. */
  page: boolean;
}

/** Everything in the panel, or on the page: header, menu, list and the conversation. */
export function Shell({ chat, t, base, prefs, onPrefs, onClose, page }: ShellProps) {
  const state = useChat(chat);
  const wide = useMedia("(min-width: 56.25rem)") && page;
  const [listed, setListed] = useState(false);
  const [ending, setEnding] = useState(false);
  const [note, setNote] = useState("");
  const column = useRef<HTMLDivElement>(null);
  const { thread, settings, list } = state;
  const title = settings?.title || t("shell.title");
  const showList = listed && !wide;
  const View = page ? "main" : "div";

  // The focus goes where the eye goes.
  const moved = useRef(false);
  useLayoutEffect(() => {
    if (moved.current && showList) column.current!.querySelector<HTMLElement>(".history-title")?.focus();
    else if (moved.current) focusThread(column.current!);
    moved.current = true;
  }, [showList]);
  useEffect(() => {
    if (wide || listed) chat.loadList();
  }, [chat, wide, listed]);

  const pick = (act: () => void) => () => {
    act();
    setListed(false);
    setNote("");
    focusThread(column.current!);
  };
  const open = (id: string) => pick(() => chat.open(id))();
  const fresh = pick(() => chat.fresh());

  async function switchNotify(): Promise<void> {
    const on = !prefs.notify && (await mayNotify());
    setNote(prefs.notify || on ? "" : t("shell.notify_blocked"));
    onPrefs({ ...prefs, notify: on });
  }
  function switchSound(): void {
    if (!prefs.sound) chime(); // so that one knows what was switched on
    onPrefs({ ...prefs, sound: !prefs.sound });
  }

  const started = thread.items.length > 0;
  const items: (MenuItem | false)[] = [
    !wide && { glyph: "list", label: t("shell.history"), act: () => setListed(true) },
    !wide && started && { glyph: "fresh", label: t("shell.fresh"), act: fresh },
    started && { glyph: "download", label: t("shell.transcript"), act: () => download(`${t("shell.transcript_file")}.txt`, chat.transcript()) },
    { glyph: "sound", label: t("shell.sound"), on: prefs.sound, group: !wide || started, act: switchSound },
    canNotify() && { glyph: "bell", label: t("shell.notify"), on: prefs.notify, act: () => void switchNotify() },
    { glyph: "whole", label: t("shell.whole"), on: prefs.whole, act: () => onPrefs({ ...prefs, whole: !prefs.whole }) },
    started && !thread.ended && { glyph: "end", label: t("shell.end"), group: true, act: () => setEnding(true) },
  ];
  const elsewhere = list.entries.some((entry) => entry.unread > 0 && entry.id !== thread.id);
  const history = (
    <History
      t={t}
      list={list}
      current={thread.id}
      onOpen={open}
      onFresh={fresh}
      onLoad={(more) => chat.loadList(more)}
      onBack={wide ? undefined : () => setListed(false)}
    />
  );
  return (
    <>
      {page && (
        <aside class="side" inert={ending}>
          {wide && history}
        </aside>
      )}
      <div class="column" ref={column} inert={ending}>
        <Header t={t} title={title} thread={thread} page={page} onPerson={() => chat.person()} onClose={onClose}>
          <Menu t={t} items={items.filter((item) => item !== false)} unread={elsewhere && !wide} />
        </Header>
        {note && (
          <p class="shell-note" role="status">
            {note}
          </p>
        )}
        {showList && <View class="view">{history}</View>}
        {/* Kept while the list is shown: what was begun in the composer is still there. */}
        <View class="view" hidden={showList}>
          {state.failed ? (
            <Failed t={t} why={state.failed} onAgain={() => void chat.start()} />
          ) : (
            <Thread chat={chat} state={state} t={t} base={base} whole={prefs.whole} />
          )}
        </View>
      </div>
      {ending && (
        <EndDialog
          t={t}
          onKeep={() => {
            setEnding(false);
            requestAnimationFrame(() => column.current?.querySelector<HTMLElement>(".menu-place > button")?.focus());
          }}
          onEnd={() => {
            setEnding(false);
            chat.end();
            requestAnimationFrame(() => column.current && focusThread(column.current));
          }}
        />
      )}
    </>
  );
}

function Failed({ t, why, onAgain }: { t: T; why: string; onAgain(): void }) {
  return (
    <div class="unreachable" role="alert">
      <p class="strong">{t("shell.failed")}</p>
      <p>{why}</p>
      <button class="button" type="button" onClick={onAgain}>
        {t("shell.try_again")}
      </button>
    </div>
  );
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const look = () => setMatches(list.matches);
    list.addEventListener("change", look);
    return () => list.removeEventListener("change", look);
  }, [query]);
  return matches;
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const a = Object.assign(document.createElement("a"), { href: url, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may still be asking where to
}
