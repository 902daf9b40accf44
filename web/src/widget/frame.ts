// The iframe mode, on the inside: what the page at /embed has to do with the page around it.

import type { EventName, Settings } from "./contract.ts";
import { isLetter, type Inward, type Outward } from "./letters.ts";

export interface Outside {
  /** What the host page asked for. */
  settings: Settings;
  /** Tells it. Only the origin that the frame was made for can read that. */
  tell(letter: Outward): void;
  emit(event: EventName, detail?: unknown): void;
  /** From now on calls go here; those that came before are handed over at once. */
  answer(to: { shown(on: boolean): void; call(method: string, args: readonly unknown[]): void }): void;
}

/** The page around this one, or nothing if there is none that made itself known. */
export async function outside(): Promise<Outside | undefined> {
  const origin = new URLSearchParams(location.hash.slice(1)).get("origin");
  if (window.parent === window || !origin || !/^https?:\/\/[^/?#]+$/.test(origin)) return undefined;

  const tell = (letter: Outward) => window.parent.postMessage(letter, origin);
  const early: Inward[] = [];
  let hear = (letter: Inward) => void early.push(letter);
  const started = new Promise<Settings>((resolve) => {
    window.addEventListener("message", ({ source, origin: from, data }: MessageEvent<Inward>) => {
      if (source !== window.parent || from !== origin || !isLetter(data)) return;
      if (!("start" in data)) return hear(data);
      for (const [name, value] of Object.entries(data.look)) {
        if (name.startsWith("--chat-")) document.documentElement.style.setProperty(name, value);
      }
      resolve(data.start);
    });
  });
  tell({ answerable: 1, hello: true });
  return {
    settings: await started,
    tell,
    emit: (event, detail) => tell({ answerable: 1, event, detail }),
    answer(to) {
      hear = (letter) => {
        if ("shown" in letter) to.shown(letter.shown);
        else if ("call" in letter) to.call(letter.call, letter.args);
      };
      early.splice(0).forEach(hear);
    },
  };
}
