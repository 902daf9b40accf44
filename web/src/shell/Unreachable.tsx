import type { T } from "../core/i18n.ts";
import { Glyph } from "./Glyph.tsx";

interface Props {
  t: T;
  /** In words for the customer, where there are any. */
  why?: string;
  onAgain(): void;
  /** Where nothing else on the panel closes it. */
  onClose?(): void;
}

/** Stands in the conversation's place, or the whole shell's, while the server cannot be had. */
export function Unreachable({ t, why, onAgain, onClose }: Props) {
  return (
    <div class="unreachable" role="alert">
      <p class="strong">{t("shell.failed")}</p>
      {why && <p>{why}</p>}
      <button class="button" type="button" onClick={onAgain}>
        {t("shell.try_again")}
      </button>
      {onClose && (
        <button class="tool" type="button" aria-label={t("shell.close")} title={t("shell.close")} onClick={onClose}>
          <Glyph name="close" />
        </button>
      )}
    </div>
  );
}
