import { useId } from "preact/hooks";
import type { WidgetSettings } from "../core/types.ts";
import { useScene } from "./context.ts";
import { webAddress } from "./source.ts";

/** Stands in the composer's place until the customer has agreed. */
export function Consent({ settings }: { settings: WidgetSettings }) {
  const { chat, t } = useScene();
  const id = useId();
  const privacy = webAddress(settings.privacy);
  return (
    // This is focused and not its button: whoever types when it comes must not agree by a space.
    <section class="gate consent" aria-label={t("thread.consent")} aria-describedby={id} tabIndex={-1} data-focus>
      <p dir="auto" id={id}>{settings.consent?.text}</p>
      <div class="buttons">
        <button type="button" class="button primary" onClick={() => chat.consent()}>
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
