import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Reason } from "../core/types.ts";
import { useScene } from "./context.ts";

const reasons: Reason[] = ["wrong", "incomplete", "off_topic", "hard_to_read", "other"];

/** Asks what was wrong with an answer. The thumb is counted already; this is more. `back`
 * gives the focus to the thumb, `close` ends the asking as well. */
export function Feedback({ turn, back, close }: { turn: string; back(): void; close(): void }) {
  const { chat, t, say } = useScene();
  const id = useId();
  const [reason, setReason] = useState<Reason | undefined>();
  const [text, setText] = useState("");
  const [thanked, setThanked] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector("input")?.focus();
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const submit = (e: Event) => {
    e.preventDefault();
    const more = text.trim();
    chat.rate(turn, "down", { ...(reason && { reason }), ...(more && { text: more }) });
    back();
    setThanked(true);
    say(t("thread.thanks"));
  };
  const escape = (e: KeyboardEvent) => {
    if (e.key !== "Escape" || e.isComposing) return;
    e.preventDefault(); // or it closes the dialog that the panel is on phones
    e.stopPropagation();
    close();
  };
  if (thanked) return <p class="note">{t("thread.thanks")}</p>;
  return (
    <form class="card" ref={form} onSubmit={submit} onKeyDown={escape}>
      <fieldset>
        <legend>{t("thread.why")}</legend>
        <div class="pills">
          {reasons.map((one) => (
            <label class="pill" key={one}>
              <input type="radio" name={id} checked={reason === one} onChange={() => setReason(one)} />
              <span>{t(`thread.why_${one}`)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <label class="unseen" for={`${id}-text`}>
        {t("thread.why_more")}
      </label>
      <textarea id={`${id}-text`} class="input" rows={2} maxLength={2000} dir="auto" placeholder={t("thread.why_more")} value={text} onInput={(e) => setText(e.currentTarget.value)} />
      <div class="buttons">
        <button type="submit" class="button primary" disabled={!reason && !text.trim()}>
          {t("thread.send")}
        </button>
        <button type="button" class="button" onClick={close}>
          {t("thread.skip")}
        </button>
      </div>
    </form>
  );
}
