import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { withoutBidi } from "../core/bidi.ts";
import type { Shown } from "./Citation.tsx";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";
import { sourceLink, titleOf } from "./source.ts";

interface Props {
  shown: Shown;
  /** Leaves the card; with `back`, the focus returns to where it came from. */
  close(back: boolean): void;
  /** The pointer is on the card, or no longer. */
  hold(on: boolean): void;
}

/** The passage that a number stands for. It is in the top layer, so that nothing cuts it
 * off, and inside the bounds of the thread. */
export function Card({ shown, close, hold }: Props) {
  const { t, base } = useScene();
  const { citation, anchor, pinned } = shown;
  const id = useId();
  const card = useRef<HTMLDivElement>(null);
  const href = sourceLink(citation, base);
  const title = titleOf(citation, t);

  useLayoutEffect(() => {
    const element = card.current!;
    if (!element.matches(":popover-open")) element.showPopover?.();
    place(element, anchor);
  }, [citation, anchor]);
  useEffect(() => {
    if (pinned) card.current!.querySelector<HTMLElement>(href ? "a" : "button")?.focus({ preventScroll: true });
  }, [pinned, anchor]);
  useEffect(() => {
    const moved = () => {
      if (!anchor.isConnected || !place(card.current!, anchor)) close(false);
    };
    const pressed = (e: PointerEvent) => {
      const path = e.composedPath();
      if (!path.includes(card.current!) && !path.includes(anchor)) close(false);
    };
    // The thread may be in a shadow root: what scrolls there is heard only there.
    const root = card.current!.getRootNode();
    root.addEventListener("scroll", moved, { capture: true, passive: true });
    window.addEventListener("scroll", moved, { passive: true });
    window.addEventListener("resize", moved);
    document.addEventListener("pointerdown", pressed);
    return () => {
      root.removeEventListener("scroll", moved, { capture: true });
      window.removeEventListener("scroll", moved);
      window.removeEventListener("resize", moved);
      document.removeEventListener("pointerdown", pressed);
    };
  }, [anchor]);

  const left = (e: FocusEvent) => {
    const to = e.relatedTarget as Node | null; // none: the window lost the focus, or a press, which is heard above
    if (pinned && to && !card.current!.contains(to)) close(false);
  };
  return (
    <div
      class="passage"
      ref={card}
      popover="manual"
      role="dialog"
      aria-label={t("thread.source", { n: citation.mark, title })}
      aria-describedby={id}
      onPointerEnter={() => hold(true)}
      onPointerLeave={() => hold(false)}
      onFocusOut={left}
    >
      <div class="head">
        <span class="number">{t.number(citation.mark)}</span>
        <span class="title">
          <bdi>{title}</bdi>
        </span>
        <button type="button" class="act" onClick={() => close(true)} aria-label={t("thread.close")} title={t("thread.close")}>
          <Icon name="close" />
        </button>
      </div>
      <blockquote dir="auto" tabIndex={0} id={id}>
        <mark>{withoutBidi(citation.quote)}</mark>
      </blockquote>
      {href && (
        <a class="text-button" href={href} target="_blank" rel="noopener nofollow">
          {t("thread.open")}
          <Icon name="open" />
        </a>
      )}
    </div>
  );
}

/** Puts the card below or above its number, wherever there is room, and says whether the
 * number can be seen at all. */
function place(card: HTMLElement, anchor: HTMLElement): boolean {
  const bounds = anchor.closest(".thread")!.getBoundingClientRect();
  const at = anchor.getBoundingClientRect();
  const space = 8;
  const top = Math.max(bounds.top, 0);
  const bottom = Math.min(bounds.bottom, window.innerHeight);
  if (at.bottom < top || at.top > bottom) return false;
  const start = Math.max(bounds.left, 0) + space;
  const end = Math.min(bounds.right, window.innerWidth) - space;
  card.style.maxWidth = `${Math.min(end - start, 352)}px`;
  const above = at.top - top - 2 * space;
  const below = bottom - at.bottom - 2 * space;
  const up = card.offsetHeight > below && above > below;
  card.style.maxHeight = `${Math.max(up ? above : below, 96)}px`;
  card.style.top = `${up ? at.top - space - card.offsetHeight : at.bottom + space}px`;
  card.style.left = `${Math.max(start, Math.min(at.left + at.width / 2 - card.offsetWidth / 2, end - card.offsetWidth))}px`;
  return true;
}
