import type { WidgetSettings } from "../core/types.ts";
import { useScene } from "./context.ts";
import { memo } from "./memo.ts";
import { webAddress } from "./source.ts";

/** The beginning of every conversation: a greeting, and that an AI answers. Questions to
 * begin with are offered until one was asked. */
export const Welcome = memo(({ settings, asks }: { settings: WidgetSettings; asks: boolean }) => {
  const { chat, t } = useScene();
  const privacy = webAddress(settings.privacy);
  return (
    <section class="welcome">
      <h2 class="greeting" dir="auto">
        {settings.greeting || t("thread.greeting")}
      </h2>
      <p class="disclosure" dir="auto">
        {settings.disclosure.text}
        {privacy && !settings.consent && (
          <>
            {" "}
            <a href={privacy} target="_blank" rel="noopener">
              {t("thread.privacy")}
            </a>
          </>
        )}
      </p>
      {asks && settings.suggestions.length > 0 && (
        <ul class="suggestions" aria-label={t("thread.suggestions")}>
          {settings.suggestions.map((one) => (
            <li key={one}>
              <button type="button" class="suggestion" dir="auto" onClick={() => chat.send(one)}>
                {one}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
});
