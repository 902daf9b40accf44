import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import { Glyph, type GlyphName } from "./Glyph.tsx";

/** One line of the menu; with `on` it is a switch. A group begins with a line. */
export interface MenuItem {
  glyph: GlyphName;
  label: string;
  on?: boolean;
  group?: boolean;
  act(): void;
}

/** A button with a menu, by the ARIA pattern: arrows, Home and End and first letters move,
 * Escape and whatever is pressed outside close it. */
export function Menu({ t, items, unread }: { t: T; items: MenuItem[]; unread: boolean }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const whole = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const lines = () => [...(whole.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];

  useEffect(() => {
    if (!open) return;
    lines()[0]?.focus();
    // Composed, so that a press anywhere on the host page is seen as well.
    const outside = (e: Event) => e.composedPath().includes(whole.current!) || setOpen(false);
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const all = lines();
    const at = all.indexOf(e.target as HTMLElement);
    const next =
      e.key === "ArrowDown" ? all[(at + 1) % all.length]
      : e.key === "ArrowUp" ? all.at(at - 1)
      : e.key === "Home" ? all[0]
      : e.key === "End" ? all.at(-1)
      : e.key.length === 1 && e.key !== " " ? starting(all, at, e.key)
      : undefined;
    if (next) next.focus();
    else if (e.key === "Escape") close();
    else if (e.key === "Tab") return setOpen(false);
    else return;
    e.preventDefault();
  };
  return (
    <div class="menu-place" ref={whole}>
      <button
        ref={button}
        class="tool"
        type="button"
        aria-label={t("shell.menu")}
        title={t("shell.menu")}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
        onKeyDown={(e) => {
          if (e.key !== "ArrowDown" || open) return;
          e.preventDefault();
          setOpen(true);
        }}
      >
        <Glyph name="more" />
        {unread && <span class="dot" />}
      </button>
      {open && (
        <div class="menu" id={id} role="menu" aria-label={t("shell.menu")} onKeyDown={onKeyDown}>
          {items.map((item) => (
            <button
              key={item.label}
              class={item.group ? "menu-line first" : "menu-line"}
              type="button"
              role={item.on === undefined ? "menuitem" : "menuitemcheckbox"}
              aria-checked={item.on}
              tabIndex={-1}
              onClick={() => {
                item.act();
                // A switch stays in view, so that one sees what it did.
                if (item.on === undefined) close();
              }}
            >
              <Glyph name={item.glyph} />
              <span class="label">{item.label}</span>
              {item.on !== undefined && <span class="switch" />}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function starting(all: HTMLElement[], at: number, letter: string): HTMLElement | undefined {
  const from = [...all.slice(at + 1), ...all.slice(0, at + 1)];
  return from.find((it) => it.textContent!.trim().toLocaleLowerCase().startsWith(letter.toLocaleLowerCase()));
}
