import { useEffect, useId, useRef } from "preact/hooks";
import type { T } from "../core/i18n.ts";

/** Asks before a conversation is ended, because that cannot be taken back. What lies under
 * it is inert for as long as it is there. */
export function EndDialog({ t, onEnd, onKeep }: { t: T; onEnd(): void; onKeep(): void }) {
  const keep = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => keep.current?.focus(), []);
  return (
    <div class="veil">
      <div
        class="ask"
        role="alertdialog"
        aria-labelledby={`${id}-what`}
        aria-describedby={`${id}-more`}
        onKeyDown={(e) => {
          if (e.key !== "Escape") return;
          e.preventDefault();
          onKeep();
        }}
      >
        <p class="strong" id={`${id}-what`}>
          {t("shell.end_ask")}
        </p>
        <p id={`${id}-more`}>{t("shell.end_more")}</p>
        <div class="ask-acts">
          <button ref={keep} class="button" type="button" onClick={onKeep}>
            {t("shell.end_no")}
          </button>
          <button class="button primary" type="button" onClick={onEnd}>
            {t("shell.end_yes")}
          </button>
        </div>
      </div>
    </div>
  );
}
