import { useEffect, useRef, useState } from "preact/hooks";
import type { AnswerItem } from "../core/types.ts";
import { Later } from "../later/Later.tsx";
import { copy } from "./clipboard.ts";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";
import { excerpt } from "./speech.ts";
import { used } from "./source.ts";

/** What can be done with an answer. Each button says which one it is for. */
export function Actions({ item, again }: { item: AnswerItem; again: boolean }) {
  const { chat, t, retry } = useScene();
  const [asking, setAsking] = useState(false);
  const down = useRef<HTMLButtonElement>(null);
  const which = { text: excerpt(item.text, t("thread.code")) };
  const rate = (rating: "up" | "down") => {
    chat.rate(item.turn, rating);
    setAsking(rating === "down");
  };
  const back = () => down.current?.focus();
  const close = () => {
    setAsking(false);
    back();
  };
  return (
    <>
      <div class="acts" role="group" aria-label={t("thread.actions", which)}>
        <CopyButton class="act" text={copied(item)} label={t("thread.copy_it", which)} title={t("thread.copy")} />
        <button type="button" class="act" aria-pressed={item.rating === "up"} onClick={() => rate("up")} aria-label={t("thread.good_it", which)} title={t("thread.good")}>
          <Icon name="up" />
        </button>
        <button
          type="button"
          class="act"
          ref={down}
          aria-pressed={item.rating === "down"}
          aria-expanded={asking}
          onClick={() => rate("down")}
          aria-label={t("thread.bad_it", which)}
          title={t("thread.bad")}
        >
          <Icon name="down" />
        </button>
        {again && (
          <button type="button" class="act" onClick={() => retry(item.turn)} aria-label={t("thread.again_it", which)} title={t("thread.again")}>
            <Icon name="again" />
          </button>
        )}
      </div>
      {asking && <Later part="Feedback" t={t} turn={item.turn} back={back} close={close} />}
    </>
  );
}

/** An answer with its sources below. */
function copied(item: AnswerItem): string {
  const sources = used(item.text, item.citations);
  if (sources.length === 0) return item.text;
  return `${item.text}\n\n${sources.map((c) => `[${c.mark}] ${c.title} ${c.url}`.trim()).join("\n")}\n`;
}

export function CopyButton(props: { class: string; text: string; label: string; title: string }) {
  const { t, say, alarm } = useScene();
  const [done, setDone] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 2000);
    return () => clearTimeout(timer);
  }, [done]);
  const press = async () => {
    const ok = await copy(props.text, button.current!);
    setDone(ok);
    if (ok) say(t("thread.copied"));
    else alarm(t("thread.not_copied"));
  };
  return (
    <button type="button" class={props.class} ref={button} onClick={press} aria-label={props.label} title={done ? t("thread.copied") : props.title}>
      <Icon name={done ? "done" : "copy"} />
    </button>
  );
}
