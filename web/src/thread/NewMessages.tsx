import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";

/** The way back to the end, for a reader who has left it. */
export function NewMessages({ count, go }: { count: number; go(): void }) {
  const { t } = useScene();
  return (
    <div class="below">
      <button type="button" class={count > 0 ? "button new" : "button"} onClick={go} aria-label={count > 0 ? undefined : t("thread.newest")} title={t("thread.newest")}>
        <Icon name="below" />
        {count > 0 && t("thread.new", { n: count })}
      </button>
    </div>
  );
}
