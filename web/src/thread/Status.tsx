import { useEffect, useState } from "preact/hooks";
import type { State, Thread } from "../core/types.ts";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";

/** How the connection is, while it is not as it should be. */
export function Connection({ link }: { link: Thread["link"] }) {
  const { t } = useScene();
  if (link !== "reconnecting" && link !== "offline") return null;
  return (
    <p class={`connection ${link}`}>
      <span class="pulse" />
      {t(`thread.${link}`)}
    </p>
  );
}

/** What went wrong with the customer's last act. */
export function Problem({ problem }: { problem: NonNullable<State["problem"]> }) {
  const { chat, t } = useScene();
  const left = useSeconds(problem.retryAt);
  return (
    <div class="problem">
      <Icon name="alert" />
      <p dir="auto">
        {problem.text} {left > 0 && t("thread.retry_in", { n: left })}
      </p>
      <button type="button" class="act" onClick={() => chat.dismiss()} aria-label={t("thread.dismiss")} title={t("thread.dismiss")}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** Seconds until a moment, counted down. */
export function useSeconds(until: number | undefined): number {
  const left = () => Math.max(0, Math.ceil(((until ?? 0) - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left);
    if (left() === 0) return;
    const timer = setInterval(() => {
      setSeconds(left);
      if (left() === 0) clearInterval(timer);
    }, 1000);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}
