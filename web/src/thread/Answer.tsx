import type { AnswerItem } from "../core/types.ts";
import { Actions } from "./Actions.tsx";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";
import { Markdown } from "./Markdown.tsx";
import { memo } from "./memo.ts";
import { Sources } from "./Sources.tsx";
import { Time } from "./Time.tsx";
import { Dots, Speaker } from "./Waiting.tsx";

interface Props {
  item: AnswerItem;
  /** It is the last one, and the bot may answer again. */
  again: boolean;
  /** A person may be asked for. */
  person: boolean;
}

/** What the assistant said. One without a word is drawn only for what came of it. */
export const Answer = memo(({ item, again, person }: Props) => {
  const { t } = useScene();
  if (!item.text && (item.running || !noted(item))) return null;
  if (item.replacedBy) {
    return (
      <details class="earlier">
        <summary>{t("thread.earlier")}</summary>
        <Body item={item} again={false} person={false} />
      </details>
    );
  }
  return <Body item={item} again={again} person={person} />;
});

function Body({ item, again, person }: Props) {
  const { t, images } = useScene();
  return (
    <article class={item.running ? "answer running" : "answer"} part="message" aria-busy={item.running}>
      <Speaker>
        {item.level === "extractive" && item.citations.length > 0 && <span>{t("thread.extractive")}</span>}
        <Time at={item.startedAt} />
      </Speaker>
      <Markdown text={item.text} citations={item.citations} images={images} growing={item.running} />
      {item.running ? (
        <div class="acts writing">
          <Dots label={t("thread.answering")} />
          {item.activity && <span dir="auto">{item.activity}</span>}
        </div>
      ) : (
        <>
          <Note item={item} again={again} person={person} />
          <Sources text={item.text} citations={item.citations} />
          {item.text && <Actions item={item} again={again} />}
        </>
      )}
    </article>
  );
}

const notes = ["stopped", "interrupted", "failed", "refused", "handed_over"] as const;

/** The outcomes that are said: the others go without saying. */
function noted(item: AnswerItem): (typeof notes)[number] | undefined {
  if (item.outcome === "handed_over" && !item.text) return undefined; // the lines below it say so
  return notes.find((one) => one === item.outcome);
}

function Note({ item, again, person }: Props) {
  const { chat, t, retry } = useScene();
  const what = noted(item);
  if (!what) return null;
  const broken = what === "failed" || what === "interrupted";
  return (
    <p class={broken ? "note broken" : "note"}>
      {!(what === "refused" && item.text) && <span>{t(`thread.${what}`)}</span>}
      {broken && again && (
        <button type="button" class="text-button" onClick={() => retry(item.turn)}>
          <Icon name="again" />
          {t("thread.try_again")}
        </button>
      )}
      {(broken || what === "refused") && person && (
        <button type="button" class="text-button" onClick={() => chat.person()}>
          <Icon name="person" />
          {t("thread.person")}
        </button>
      )}
    </p>
  );
}
