import { duration } from "../core/amounts.ts";
import type { Thread } from "../core/types.ts";
import { Avatar } from "./AgentMessage.tsx";
import { useScene } from "./context.ts";
import { Dots } from "./Waiting.tsx";

/** Where the customer stands while nobody has taken the conversation. */
export function Queue({ queue }: { queue: NonNullable<Thread["queue"]> }) {
  const { t } = useScene();
  return (
    <div class="card queue">
      <p class="title">
        <span class="pulse" />
        {queue.place === undefined ? t("thread.queue") : queue.place <= 1 ? t("thread.queue_next") : t("thread.queue_place", { n: queue.place })}
      </p>
      {queue.expectedWaitMs !== undefined && <p>{t("thread.queue_wait", { time: duration(t, queue.expectedWaitMs) })}</p>}
      {queue.since && <p>{t("thread.queue_since", { time: t.time(queue.since) })}</p>}
      <p>{t("thread.queue_more")}</p>
    </div>
  );
}

/** A person of the company is writing. */
export function Typing({ name }: { name: string }) {
  const { t } = useScene();
  return (
    <div class="agent typing">
      <Avatar name={name} />
      <div class="bubble">
        <Dots label={t("thread.types", { name })} />
      </div>
    </div>
  );
}
