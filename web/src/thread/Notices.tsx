import { withoutBidi } from "../core/bidi.ts";
import type { Notice } from "../core/types.ts";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";
import { webAddress } from "./source.ts";

/** What the company tells everybody for a time, before anything else. */
export function Notices({ notices }: { notices: Notice[] }) {
  const { chat, t } = useScene();
  return (
    <section class="notices" role="status" aria-label={t("thread.notice")}>
      {notices.map(({ id, text, url }) => {
        const href = webAddress(url);
        return (
          <div class="notice" key={id}>
            <p dir="auto">
              {withoutBidi(text)}{" "}
              {href && (
                <a href={href} target="_blank" rel="noopener">
                  {t("thread.notice_more")}
                </a>
              )}
            </p>
            <button type="button" class="act" onClick={() => chat.dismissNotice(id)} aria-label={`${t("thread.dismiss")}: ${withoutBidi(text)}`} title={t("thread.dismiss")}>
              <Icon name="close" />
            </button>
          </div>
        );
      })}
    </section>
  );
}
