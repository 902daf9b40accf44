import { useEffect } from "preact/hooks";
import { duration } from "../core/amounts.ts";
import type { Chat, Thread, WidgetSettings } from "../core/types.ts";
import { Avatar } from "./AgentMessage.tsx";
import { useScene } from "./context.ts";
import { Dots } from "./Waiting.tsx";

/** Where the customer stands while nobody has taken the conversation. */
export function Queue({ queue, hours }: { queue: NonNullable<Thread["queue"]>; hours?: WidgetSettings["hours"] }) {
  const { t, say } = useScene();
  const { place } = queue;
  const standing = place === undefined ? t("thread.queue") : place <= 1 ? t("thread.queue_next") : t("thread.queue_place", { n: place });
  useEffect(() => {
    if (place !== undefined) say(standing);
  }, [standing]);
  return (
    <div class="card queue">
      <p class="title">
        <span class="pulse" />
        {standing}
      </p>
      {queue.expectedWaitMs !== undefined && hours?.open !== false && <p>{t("thread.queue_wait", { time: duration(t, queue.expectedWaitMs) })}</p>}
      {queue.since && <p>{t("thread.queue_since", { time: t.time(queue.since) })}</p>}
      {hours && (
        <p>
          {t(hours.open ? "thread.queue_open" : "thread.queue_closed")}
          {!hours.open && hours.changes_at && ` ${t("thread.queue_back", { time: t.moment(hours.changes_at) })}`}
        </p>
      )}
      <p>{t("thread.queue_more")}</p>
    </div>
  );
}

/** Behind which item it was last said that somebody types: pauses are not news. */
const said = new WeakMap<Chat, string | undefined>();

/** A person of the company is writing, after the item with that key. */
export function Typing({ name, after }: { name: string; after: string | undefined }) {
  const { chat, t, say } = useScene();
  const label = t("thread.types", { name });
  useEffect(() => {
    if (said.get(chat) !== after) say(label);
    said.set(chat, after);
  }, []);
  return (
    <div class="agent typing">
      <Avatar name={name} />
      <div class="bubble">
        <Dots label={label} />
      </div>
    </div>
  );
}
