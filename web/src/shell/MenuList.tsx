import { useLayoutEffect, useRef } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import { transcript } from "../core/transcript.ts";
import type { State } from "../core/types.ts";
import { MenuGlyph, type MenuGlyphName } from "./MenuGlyph.tsx";
import { canNotify, chime, mayNotify } from "./news.ts";
import type { Prefs } from "./prefs.ts";

interface Props {
  t: T;
  state: State;
  /** The list of conversations is in view already. */
  listed: boolean;
  prefs: Prefs;
  onPrefs(prefs: Prefs): void;
  /** Says something below the header. */
  onNote(text: string): void;
  onList(): void;
  onFresh(): void;
  onEnd(): void;
  close(back: boolean): void;
}

/** One line of the menu; with `on` it is a switch. A group begins with a line. */
interface Item {
  glyph: MenuGlyphName;
  label: string;
  on?: boolean;
  group?: boolean;
  act(): void;
}

/** An open menu, by the ARIA pattern: arrows, Home and End and first letters move, Escape
 * and whatever is pressed outside close it. */
export function MenuList({ t, state, listed, prefs, onPrefs, onNote, onList, onFresh, onEnd, close }: Props) {
  const menu = useRef<HTMLDivElement>(null);
  const lines = () => [...menu.current!.querySelectorAll<HTMLElement>("[role^=menuitem]")];

  useLayoutEffect(() => {
    lines()[0]?.focus();
    const place = menu.current!.parentElement!; // with the button, which closes by itself
    // Composed, so that a press anywhere on the host page is seen as well.
    const outside = (e: Event) => e.composedPath().includes(place) || close(false);
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, []);

  async function switchNotify(): Promise<void> {
    const on = !prefs.notify && (await mayNotify());
    onNote(prefs.notify || on ? "" : t("shell.notify_blocked"));
    onPrefs({ ...prefs, notify: on });
  }
  function switchSound(): void {
    if (!prefs.sound) chime(); // so that one knows what was switched on
    onPrefs({ ...prefs, sound: !prefs.sound });
  }

  const { thread, settings } = state;
  const started = thread.items.length > 0;
  const items: (Item | false)[] = [
    !listed && { glyph: "list", label: t("shell.history"), act: onList },
    !listed && started && { glyph: "fresh", label: t("shell.fresh"), act: onFresh },
    started && { glyph: "download", label: t("shell.transcript"), act: () => download(`${t("shell.transcript_file")}.txt`, transcript(settings?.title ?? "", thread.items, t)) },
    { glyph: "sound", label: t("shell.sound"), on: prefs.sound, group: !listed || started, act: switchSound },
    canNotify() && { glyph: "bell", label: t("shell.notify"), on: prefs.notify, act: () => void switchNotify() },
    { glyph: "whole", label: t("shell.whole"), on: prefs.whole, act: () => onPrefs({ ...prefs, whole: !prefs.whole }) },
    started && !thread.ended && { glyph: "end", label: t("shell.end"), group: true, act: onEnd },
  ];

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
    else if (e.key === "Escape") close(true);
    else if (e.key === "Tab") return close(false);
    else return;
    e.preventDefault();
  };
  return (
    <div class="menu" role="menu" ref={menu} aria-label={t("shell.menu")} onKeyDown={onKeyDown}>
      {items
        .filter((item) => item !== false)
        .map((item) => (
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
              if (item.on === undefined) close(true);
            }}
          >
            <MenuGlyph name={item.glyph} />
            <span class="label">{item.label}</span>
            {item.on !== undefined && <span class="switch" />}
          </button>
        ))}
    </div>
  );
}

function starting(all: HTMLElement[], at: number, letter: string): HTMLElement | undefined {
  const from = [...all.slice(at + 1), ...all.slice(0, at + 1)];
  return from.find((it) => it.textContent!.trim().toLocaleLowerCase().startsWith(letter.toLocaleLowerCase()));
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const a = Object.assign(document.createElement("a"), { href: url, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may still be asking where to
}
