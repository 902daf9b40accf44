import type { CustomerItem } from "../core/types.ts";
import { Later } from "../later/Later.tsx";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";
import { memo } from "./memo.ts";
import { excerpt } from "./speech.ts";
import { useSeconds } from "./Status.tsx";
import { Time } from "./Time.tsx";
import { Words } from "./Words.tsx";

/** What the customer said. */
export const CustomerMessage = memo((props: { item: CustomerItem; editable: boolean; seen: boolean }) => {
  const { item, editable, seen } = props;
  const { chat, t, edit } = useScene();
  const which = { text: excerpt(item.text, t("thread.code")) || item.files.map((f) => f.name).join(", ") };
  const editAgain = () => {
    if (item.state === "failed") chat.discard(item.key);
    edit(item.text);
  };
  const discard = (
    <button type="button" class="text-button" onClick={() => chat.discard(item.key)} aria-label={t("thread.discard_it", which)}>
      {t("thread.discard")}
    </button>
  );
  return (
    <article class={`customer ${item.state}`} part="message">
      <h3 class="unseen">{t("thread.you")}</h3>
      {item.files.map((file) => (
        <Later part="FileBubble" key={file.id} t={t} file={file} />
      ))}
      {item.text && (
        <div class="bubble">
          <Words text={item.text} />
        </div>
      )}
      <div class="under">
        {item.state === "failed" ? (
          <div class="failure">
            <Icon name="alert" />
            <span>
              {t("thread.not_sent")} {item.error}
            </span>
            <button type="button" class="text-button" onClick={() => chat.resend(item.key)} aria-label={t("thread.resend_it", which)}>
              {t("thread.try_again")}
            </button>
            <button type="button" class="text-button" onClick={editAgain} aria-label={t("thread.edit_it", which)}>
              {t("thread.edit")}
            </button>
            {discard}
          </div>
        ) : (
          <>
            {editable && (
              <button type="button" class="act quiet" onClick={editAgain} aria-label={t("thread.edit_it", which)} title={t("thread.edit")}>
                <Icon name="edit" />
              </button>
            )}
            <Time at={item.at} />
            {item.state === "sending" && (
              <span class="late">
                {t("thread.sending")} {item.waits && <PutOff waits={item.waits} />}
              </span>
            )}
            {item.waits && discard}
            {seen && <span>{t("thread.seen")}</span>}
          </>
        )}
      </div>
    </article>
  );
});

/** Why a message is not sent yet, and when that is tried again. */
function PutOff({ waits }: { waits: NonNullable<CustomerItem["waits"]> }) {
  const { t } = useScene();
  const left = useSeconds(waits.until);
  return (
    <>
      {waits.text} {left > 0 && t("thread.retry_in", { n: left })}
    </>
  );
}
