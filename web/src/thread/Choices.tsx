import type { ChoicesItem } from "../core/types.ts";
import { useScene } from "./context.ts";
import { memo } from "./memo.ts";

/** Answers to choose from. They are for now: once something was said, they are history. */
export const Choices = memo(({ item, disabled }: { item: ChoicesItem; disabled: boolean }) => {
  const { chat, t } = useScene();
  return (
    <div class="choices" role="group" aria-label={t("thread.choose")}>
      {item.options.map((option, i) => (
        <button key={i} type="button" class="choice" dir="auto" disabled={item.answered || disabled} onClick={() => chat.send(option.text || option.label)}>
          {option.label}
        </button>
      ))}
    </div>
  );
});
