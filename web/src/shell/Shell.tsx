import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import type { Chat } from "../core/types.ts";
import { Later } from "../later/Later.tsx";
import { focusThread } from "../thread/focus.ts";
import { Thread } from "../thread/index.tsx";
import { Header } from "./Header.tsx";
import type { History } from "./History.tsx";
import { Menu } from "./Menu.tsx";
import type { Prefs } from "./prefs.ts";
import { Unreachable } from "./Unreachable.tsx";
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
  /** The list, where it is not rare: what draws it is then loaded already. */
  history?: typeof History;
}

/** Everything in the panel, or on the page: header, menu, list and the conversation. */
export function Shell({ chat, t, base, prefs, onPrefs, onClose, page, history: List }: ShellProps) {
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

  const elsewhere = list.entries.some((entry) => entry.unread > 0 && entry.id !== thread.id);
  const listProps = {
    t,
    list,
    current: thread.id,
    onOpen: open,
    onFresh: fresh,
    onLoad: (more?: boolean) => chat.loadList(more),
    onBack: wide ? undefined : () => setListed(false),
  };
  const history = List ? <List {...listProps} /> : <Later part="History" {...listProps} />;
  return (
    <>
      {page && (
        <aside class="side" inert={ending}>
          {wide && history}
        </aside>
      )}
      <div class="column" ref={column} inert={ending}>
        <Header t={t} title={title} thread={thread} page={page} onPerson={settings && pick(() => thread.consentNeeded || chat.person())} onClose={onClose}>
          <Menu t={t} unread={elsewhere && !wide}>
            {(close) => (
              <Later
                part="MenuList"
                t={t}
                state={state}
                listed={wide}
                prefs={prefs}
                onPrefs={onPrefs}
                onNote={setNote}
                onList={() => setListed(true)}
                onFresh={fresh}
                onEnd={() => setEnding(true)}
                close={close}
              />
            )}
          </Menu>
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
            <Unreachable t={t} why={state.failed} onAgain={() => void chat.start()} />
          ) : (
            <Thread chat={chat} state={state} t={t} base={base} whole={prefs.whole} />
          )}
        </View>
      </div>
      {ending && (
        <Later
          part="EndDialog"
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
