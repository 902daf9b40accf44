import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Citation } from "../core/types.ts";
import type { Shown } from "./Citation.tsx";
import type { Scene } from "./context.ts";

/** Long enough not to open what the pointer only crosses, and to reach the card. */
const delay = { open: 120, close: 220 }; // ms

/** The one card that can be open, and what opens and closes it. */
export function useCard(): { shown: Shown | undefined; cite: Scene["cite"]; close(back: boolean): void; hold(on: boolean): void } {
  const [shown, setShown] = useState<Shown | undefined>();
  const current = useRef<Shown | undefined>(undefined);
  current.current = shown;
  const actions = useMemo(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let spared: HTMLElement | undefined; // has the focus back from its card, and must not open it again
    const later = (ms: number, act: () => void) => {
      clearTimeout(timer);
      timer = setTimeout(act, ms);
    };
    const close = (back: boolean) => {
      clearTimeout(timer);
      const was = current.current;
      setShown(undefined);
      if (!back || !was) return;
      spared = was.anchor;
      was.anchor.focus();
    };
    const closeSoon = () => later(delay.close, () => !current.current?.pinned && setShown(undefined));
    return {
      cite: {
        peek(citation: Citation, anchor: HTMLElement) {
          if (current.current?.pinned || spared === anchor) return;
          later(delay.open, () => setShown({ citation, anchor, pinned: false }));
        },
        open(citation: Citation, anchor: HTMLElement) {
          clearTimeout(timer);
          setShown({ citation, anchor, pinned: true });
        },
        leave(anchor: HTMLElement) {
          if (spared === anchor) spared = undefined;
          closeSoon();
        },
      },
      close,
      hold: (on: boolean) => (on ? clearTimeout(timer) : closeSoon()),
      destroy: () => clearTimeout(timer),
    };
  }, []);
  useEffect(() => actions.destroy, []);
  return { shown, ...actions };
}
