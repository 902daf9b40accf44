import { useId, useState } from "preact/hooks";
import { useScene } from "./context.ts";

const scores = [1, 2, 3, 4, 5] as const;
const mouths = ["M8 17c2.2-3.3 5.8-3.3 8 0", "M8.2 16.3c2.2-1.8 5.4-1.8 7.6 0", "M8.3 15.5h7.4", "M8.2 14.7c2.2 1.8 5.4 1.8 7.6 0", "M7.8 14c2.2 4.2 6.2 4.2 8.4 0"];

/** Asks how the conversation went: once, and one may pass. */
export function Csat({ given }: { given: boolean }) {
  const { chat, t } = useScene();
  const id = useId();
  const [score, setScore] = useState<number | undefined>();
  const [text, setText] = useState("");
  if (given) return <p class="line">{t("thread.csat_thanks")}</p>;
  const submit = (e: Event) => {
    e.preventDefault();
    if (score) chat.csat(score, text.trim() || undefined);
  };
  return (
    <form class="card csat" onSubmit={submit}>
      <fieldset>
        <legend>{t("thread.csat_ask")}</legend>
        <div class="faces">
          {scores.map((n) => (
            <label class="face" key={n} title={t(`thread.csat_${n}`)}>
              <input type="radio" name={id} value={n} checked={score === n} onChange={() => setScore(n)} aria-label={`${t.number(n)}: ${t(`thread.csat_${n}`)}`} />
              <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                <circle cx="12" cy="12" r="9" />
                <path d={`M9 9.5v.01M15 9.5v.01${mouths[n - 1]}`} />
              </svg>
            </label>
          ))}
        </div>
        <p class="scale" aria-hidden="true">
          <span>{t("thread.csat_1")}</span>
          <span class="chosen">{score && score > 1 && score < 5 ? t(`thread.csat_${score as 2 | 3 | 4}`) : ""}</span>
          <span>{t("thread.csat_5")}</span>
        </p>
      </fieldset>
      {score && (
        <>
          <label class="unseen" for={`${id}-text`}>
            {t("thread.csat_more")}
          </label>
          <textarea id={`${id}-text`} class="input" rows={2} maxLength={2000} dir="auto" placeholder={t("thread.csat_more")} value={text} onInput={(e) => setText(e.currentTarget.value)} />
        </>
      )}
      <div class="buttons">
        <button type="submit" class="button primary" disabled={!score}>
          {t("thread.csat_send")}
        </button>
        <button type="button" class="button" onClick={() => chat.skipCsat()}>
          {t("thread.skip")}
        </button>
      </div>
    </form>
  );
}
