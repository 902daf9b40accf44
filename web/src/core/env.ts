// What the core needs of the browser, in one place. Tests give it several browsers in one
// process.

import { later } from "../later/later.ts";
import type { T } from "./i18n.ts";
import type { Desk, Uploads } from "./uploads.ts";
import { patiently } from "./words.ts";

export interface Env {
  fetch: typeof fetch;
  words(locale: string, signal: AbortSignal): Promise<T>;
  /** What sends files, loaded with the first one. */
  uploads(): Promise<(desk: Desk, key: () => string) => Uploads>;
  /** online, offline, pageshow of the window; visibilitychange of the document. */
  listen(type: string, listener: (e: Event) => void, signal: AbortSignal): void;
  onLine(): boolean;
  hidden(): boolean;
  origin(): string;
  languages(): readonly string[];
  /** Undefined where the browser forbids it. */
  storage(kind: "local" | "session"): Storage | undefined;
  /** What tabs tell one another. */
  channel(name: string, heard: (message: unknown) => void): { tell(message: unknown): void; close(): void };
  /** Runs act while no other tab runs one of this name. */
  alone<R>(name: string, act: () => Promise<R>): Promise<R>;
  /** Resolves when this tab is the only one that holds this name, which it does until signal
   * ends; never where the browser cannot tell. */
  hold(name: string, signal: AbortSignal): Promise<void>;
  /** Runs act with the next frame, or soon where nothing is drawn. */
  frame(act: () => void): void;
  objectURL(blob: Blob): string;
  revokeURL(url: string): void;
  times: Times;
}

/** In milliseconds. */
export interface Times {
  retryMin: number; // before the first further attempt
  retryMax: number;
  firstByte: number; // a stream without one by then is held back by a proxy
  silence: number; // the server writes every 15 s
  patience: number; // cuts that are shorter are nobody's business
  streamAgain: number; // while polling
  poll: number; // how long the server may hold an empty answer
  request: number; // how long any other answer may take
  typing: number; // how often the server is told, at most
  typingEnds: number; // without a key
  typingHolds: number; // what is told of others
  read: number; // between two marks
  queue: number; // between two looks at one's place
  news: number; // between two looks at the notices, while the chat is open
  steady: number; // a connection that held so long was a good one
  hidden: number; // after which a tab that nobody sees rests
}

export const usual: Times = {
  retryMin: 500,
  retryMax: 8_000,
  firstByte: 6_000,
  silence: 45_000,
  patience: 3_000,
  streamAgain: 300_000,
  poll: 25_000,
  request: 20_000,
  typing: 2_500,
  typingEnds: 3_000,
  typingHolds: 5_000,
  read: 1_000,
  queue: 15_000,
  news: 60_000,
  steady: 5_000,
  hidden: 60_000,
};

export function browser(): Env {
  return {
    fetch: (input, init) => fetch(input, init),
    words: patiently,
    uploads: async () => (await later()).uploads,
    listen(type, listener, signal) {
      (type === "visibilitychange" ? document : window).addEventListener(type, listener, { signal });
    },
    onLine: () => navigator.onLine !== false,
    hidden: () => document.hidden,
    origin: () => location.origin,
    languages: () => navigator.languages,
    storage(kind) {
      try {
        return kind === "local" ? localStorage : sessionStorage;
      } catch {
        return undefined; // the visitor blocks it
      }
    },
    channel(name, heard) {
      const bus = new BroadcastChannel(name);
      bus.onmessage = (e) => heard(e.data);
      return { tell: (message) => bus.postMessage(message), close: () => bus.close() };
    },
    async alone(name, act) {
      let begun = false;
      try {
        return await navigator.locks.request(name, () => ((begun = true), act()));
      } catch (error) {
        if (begun) throw error;
        return act(); // there are no locks, or not for a frame whose storage the visitor blocks
      }
    },
    hold: (name, signal) =>
      new Promise((held) => {
        const until = () => new Promise((free) => (held(), signal.addEventListener("abort", free)));
        navigator.locks?.request(name, { signal }, until).catch(() => {}); // shown again before its turn
      }),
    frame(act) {
      let done = false;
      const once = () => {
        if (done) return;
        done = true;
        act();
      };
      if (!document.hidden) requestAnimationFrame(once);
      setTimeout(once, document.hidden ? 0 : 250); // nothing is drawn while hidden
    },
    objectURL: (blob) => URL.createObjectURL(blob),
    revokeURL: (url) => URL.revokeObjectURL(url),
    times: usual,
  };
}
