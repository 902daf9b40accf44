import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";

/** After these times of waiting something is said; at last a person is offered. */
const patience = [8_000, 30_000];

interface Props {
  /** The server has the message. Without that an answer is not expected for long. */
  accepted: boolean;
  activity?: string;
}

/** Stands where the answer will be, from the moment in which the message is sent. */
export function Waiting({ accepted, activity }: Props) {
  const { chat, t, say } = useScene();
  const [stage, setStage] = useState(0);
  useEffect(() => {
    const timers = patience.map((ms, i) => setTimeout(() => setStage(i + 1), ms));
    return () => timers.forEach(clearTimeout);
  }, []);
  const shown = accepted || stage === 0;
  const slow = accepted && stage > 1;
  const line = activity ?? (accepted && stage > 0 ? t("thread.working") : undefined);
  useEffect(() => {
    if (line) say(line);
  }, [line]);
  useEffect(() => {
    if (slow) say(t("thread.slow"));
  }, [slow]);
  if (!shown) return null;
  return (
    <div class="waiting">
      <Speaker />
      <p class="doing">
        <Dots label={t("thread.answering")} />
        {line && <span dir="auto">{line}</span>}
      </p>
      {slow && (
        <p class="offer">
          {t("thread.slow")}{" "}
          <button type="button" class="text-button" onClick={() => chat.person()}>
            <Icon name="person" />
            {t("thread.person")}
          </button>
        </p>
      )}
    </div>
  );
}

/** Who answers: said on every answer, and before it is there. */
export function Speaker({ children }: { children?: ComponentChildren }) {
  const { t } = useScene();
  return (
    <h3 class="speaker">
      <span class="ai" title={t("thread.ai_long")}>
        <Icon name="spark" />
        {t("thread.ai")}
      </span>
      {children}
    </h3>
  );
}

export function Dots({ label }: { label: string }) {
  return (
    <span class="dots" role="img" aria-label={label}>
      <i />
      <i />
      <i />
    </span>
  );
}
