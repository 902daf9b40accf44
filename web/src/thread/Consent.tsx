import type { WidgetSettings } from "../core/types.ts";
import { useScene } from "./context.ts";
import { webAddress } from "./source.ts";

/** Stands in the composer's place until the customer has agreed. */
export function Consent({ settings }: { settings: WidgetSettings }) {
  const { chat, t } = useScene();
  const privacy = webAddress(settings.privacy);
  return (
    <section class="gate consent" aria-label={t("thread.consent")}>
      <p dir="auto">{settings.consent?.text}</p>
      <div class="buttons">
        <button type="button" class="button primary" data-focus onClick={() => chat.consent()}>
          {t("thread.agree")}
        </button>
        {privacy && (
          <a class="button" href={privacy} target="_blank" rel="noopener">
            {t("thread.privacy")}
          </a>
        )}
      </div>
    </section>
  );
}
