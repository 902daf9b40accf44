import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";

/** Lies over the conversation while files are dragged over it. */
export function Drop() {
  const { t } = useScene();
  return (
    <p class="drop">
      <Icon name="attach" />
      {t("thread.drop")}
    </p>
  );
}
