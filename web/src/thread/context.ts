// What every component of the thread may use. The value is one object for the life of the
// thread's language and settings, so that reading it costs no rendering.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import type { Chat, Citation } from "../core/types.ts";

export interface Scene {
  chat: Chat;
  t: T;
  /** Where the server is: addresses of sources may be relative to it. */
  base: string;
  /** Origins whose pictures are shown. */
  images: string[];
  /** Tells screen readers, in turn. */
  say(text: string): void;
  /** Tells screen readers at once: something went wrong. */
  alarm(text: string): void;
  /** Shows the card of a citation beside the element that was pointed at or pressed. */
  cite: {
    peek(citation: Citation, anchor: HTMLElement): void;
    open(citation: Citation, anchor: HTMLElement): void;
    leave(anchor: HTMLElement): void;
  };
  /** Puts text into the composer, for the customer to change and send again. */
  edit(text: string): void;
  /** Has a turn answered again and shows so at once. */
  retry(turn: string): void;
}

export const SceneContext = createContext<Scene>(undefined as unknown as Scene);

export function useScene(): Scene {
  return useContext(SceneContext);
}
