import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import { soon } from "../later/later.ts";
import { Glyph } from "./Glyph.tsx";

interface Props {
  t: T;
  unread: boolean;
  /** The menu while it is open. `close` gives the focus back to the button, if it is to. */
  children(close: (back: boolean) => void): ComponentChildren;
}

/** The button of the menu, and the place below it. */
export function Menu({ t, unread, children }: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = (back: boolean) => {
    setOpen(false);
    if (back) button.current?.focus();
  };
  return (
    <div class="menu-place">
      <button
        ref={button}
        class="tool"
        type="button"
        aria-label={t("shell.menu")}
        title={t("shell.menu")}
        aria-haspopup="menu"
        aria-expanded={open}
        onPointerEnter={() => soon(t)}
        onFocus={() => soon(t)}
        onClick={() => setOpen(!open)}
        onKeyDown={(e) => {
          if (e.key !== (open ? "Escape" : "ArrowDown")) return;
          e.preventDefault();
          setOpen(!open);
        }}
      >
        <Glyph name="more" />
        {unread && <span class="dot" />}
      </button>
      {open && children(close)}
    </div>
  );
}
