import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import type { State } from "../core/types.ts";
import { Narrator, Queue } from "./announcer.ts";

/** An alarm that was heard is not left for who reads on; the same one may come again. */
const forgotten = 10_000; // ms

/** The voice of the thread: what components call to have something said. */
export interface Voice {
  say(text: string): void;
  alarm(text: string): void;
}

/** The two live regions. They are the only ones in the thread, and nobody sees them. */
export function Announcer(props: { state: State; t: T; whole: boolean; voice: Voice }) {
  const { state, t, whole, voice } = props;
  const polite = useRef<HTMLDivElement>(null);
  const urgent = useRef<HTMLDivElement>(null);
  const narrator = useRef<Narrator | undefined>(undefined);

  useLayoutEffect(() => {
    const queue = new Queue((text) => polite.current && (polite.current.textContent = text));
    voice.say = (text) => queue.say(text);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const alarm = (text: string) => urgent.current && (urgent.current.textContent = text);
    voice.alarm = (text) => {
      alarm(text);
      clearTimeout(timer);
      timer = setTimeout(() => alarm(""), forgotten);
    };
    narrator.current = new Narrator(queue, (text) => voice.alarm(text));
    return () => {
      queue.destroy();
      clearTimeout(timer);
    };
  }, []);
  useEffect(() => narrator.current?.see(state, t, whole), [state, t, whole]);

  return (
    <>
      <div class="unseen" ref={polite} role="status" aria-live="polite" aria-atomic="true" />
      <div class="unseen" ref={urgent} role="alert" aria-atomic="true" />
    </>
  );
}
