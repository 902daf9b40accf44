import type { LineItem } from "../core/types.ts";
import { lineText } from "./announcer.ts";
import { useScene } from "./context.ts";
import { memo } from "./memo.ts";

/** What happened: somebody joined, the conversation was closed. */
export const Line = memo(({ item }: { item: LineItem }) => {
  const { t } = useScene();
  return (
    <p class={`line ${item.what}`}>
      <span dir="auto">{lineText(item, t)}</span>
    </p>
  );
});
