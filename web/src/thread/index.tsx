// The conversation itself: what was said, and where one writes. Thread draws a State and
// calls a Chat; it keeps nothing but what the reader is about to do. Begin with Log.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import type { Chat, State } from "../core/types.ts";
import { Later } from "../later/Later.tsx";
import { later } from "../later/later.ts";
import { Announcer, type Voice } from "./Announcer.tsx";
import { Composer } from "./Composer.tsx";
import { SceneContext, type Scene } from "./context.ts";
import { keepFocus } from "./focus.ts";
import { flagsOf, Log } from "./Log.tsx";
import { Notices } from "./Notices.tsx";
import { Connection, Problem } from "./Status.tsx";
import { useCard } from "./useCard.ts";

const none: string[] = [];

export interface Props {
  chat: Chat;
  state: State;
  t: T;
  /** A screen reader hears an answer when it is complete, not sentence by sentence. */
  whole?: boolean;
  /** Origin of the server, "" for the page's own: addresses of sources may be relative. */
  base?: string;
}

/** Fills its container: a column of the log and the composer. */
export function Thread({ chat, state, t, whole = false, base = "" }: Props) {
  const { thread, settings } = state;
  const voice = useRef<Voice>({ say: () => {}, alarm: () => {} }).current;
  const { shown, cite, close, hold } = useCard();
  const [given, setGiven] = useState<{ text: string } | undefined>();
  const [retrying, setRetrying] = useState<string | undefined>();
  const [refused, setRefused] = useState<string | undefined>();
  const [dragging, setDragging] = useState(false);
  const drafts = useRef(new Map<string, string>()).current;

  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => keepFocus(box.current!), []);

  const images = settings?.images ?? none;
  const scene = useMemo<Scene>(
    () => ({
      chat,
      t,
      base,
      images,
      cite,
      say: (text) => voice.say(text),
      alarm: (text) => voice.alarm(text),
      edit: (text) => setGiven({ text }),
      retry: (turn) => {
        setRetrying(turn);
        chat.retry(turn);
      },
    }),
    [chat, t, base, images],
  );
  // The retry has begun, or was refused.
  useEffect(() => setRetrying(undefined), [thread.running, thread.id, state.problem]);
  useEffect(() => setRefused(undefined), [thread.key]);

  const offer = async (files: Iterable<File>) => {
    const rules = settings?.files;
    if (!rules) return;
    const offered = [...files]; // the browser's own list is emptied when the event is over
    const { good, refused } = await later(t).then(
      ({ sortOut }) => sortOut(offered, rules, t),
      () => ({ good: [], refused: t("shell.not_loaded") }),
    );
    setRefused(refused);
    if (refused) voice.alarm(refused);
    good.forEach((file) => chat.upload(file));
  };
  const takesFiles = settings?.files !== undefined && !thread.ended && !thread.consentNeeded;
  const drag = (e: DragEvent) => {
    if (!takesFiles || !e.dataTransfer?.types.includes("Files")) return;
    e.preventDefault();
    setDragging(true);
  };
  const leave = (e: DragEvent) => {
    if (!(e.currentTarget as Node).contains(e.relatedTarget as Node | null)) setDragging(false);
  };
  const drop = (e: DragEvent) => {
    if (!dragging) return;
    e.preventDefault();
    setDragging(false);
    void offer(e.dataTransfer?.files ?? []);
  };
  // Escape leaves what is innermost: the card, then the running answer; the panel is the shell's.
  const key = (e: KeyboardEvent) => {
    if (e.key !== "Escape" || e.isComposing) return;
    if (shown) close(true);
    else if (thread.running !== undefined) chat.stop();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };

  const { edit } = flagsOf(thread);
  const last = thread.items.find((item) => item.key === edit);
  return (
    <SceneContext.Provider value={scene}>
      <div class="thread" ref={box} onKeyDown={key} onDragEnter={drag} onDragOver={drag} onDragLeave={leave} onDrop={drop}>
        <Notices notices={state.notices} />
        <Connection link={thread.link} />
        <Log state={state} retrying={retrying !== undefined} />
        {state.problem && <Problem problem={state.problem} />}
        {thread.ended ? (
          <Later part="Ended" t={t} />
        ) : thread.consentNeeded && settings ? (
          <Later part="Consent" t={t} settings={settings} />
        ) : (
          <Composer state={state} given={given} drafts={drafts} last={last?.type === "customer" ? last.text : undefined} refused={refused} offer={offer} />
        )}
        {dragging && <Later part="Drop" t={t} />}
        {shown && <Later part="Card" t={t} shown={shown} close={close} hold={hold} />}
        <Announcer state={state} t={t} whole={whole} voice={voice} />
      </div>
    </SceneContext.Provider>
  );
}
