import { useRef } from "preact/hooks";
import type { Citation } from "../core/types.ts";
import { soon } from "../later/later.ts";
import { useScene } from "./context.ts";
import { titleOf } from "./source.ts";

/** The number after a sentence. To point at it or to reach it by keyboard shows its card;
 * to press it takes the reader into the card. */
export function Mark({ citation }: { citation: Citation }) {
  const { t, cite } = useScene();
  const button = useRef<HTMLButtonElement>(null);
  return (
    <button
      type="button"
      class="cite"
      ref={button}
      aria-haspopup="dialog"
      aria-label={t("thread.source", { n: citation.mark, title: titleOf(citation, t) })}
      onPointerEnter={(e) => {
        soon(t);
        if (e.pointerType === "mouse") cite.peek(citation, button.current!);
      }}
      onPointerLeave={() => cite.leave(button.current!)}
      onFocus={(e) => e.currentTarget.matches(":focus-visible") && cite.peek(citation, button.current!)}
      onBlur={() => cite.leave(button.current!)}
      onClick={() => cite.open(citation, button.current!)}
    >
      {t.number(citation.mark)}
    </button>
  );
}

export interface Shown {
  citation: Citation;
  anchor: HTMLElement;
  /** Pressed, not only pointed at: it has the focus and stays. */
  pinned: boolean;
}
