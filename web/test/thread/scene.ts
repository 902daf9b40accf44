// A State made by hand, and a Chat that only writes down what it is asked: for tests, and
// for looking at the thread without a server.

import type { AnswerItem, Chat, Citation, CustomerItem, State } from "../../src/core/types.ts";

export const settings: NonNullable<State["settings"]> = {
  version: 1,
  enabled: true,
  assistant: "demo",
  title: "Tidewhistle help",
  locale: "en",
  accent: "#0b6e63",
  accents: { light: "#0b6e63", dark: "#63d2c2" },
  open: "Open chat",
  greeting: "How can we help?",
  privacy: "https://example.com/privacy",
  disclosure: { version: "1", text: "An AI assistant answers here. It can be wrong: the numbers in its answers open the passages they rest on. You can ask for a person at any time." },
  suggestions: ["Where is my order?", "How do I return a kettle?", "Do you ship to Norway?"],
  files: { types: ["image/png", "image/jpeg", "application/pdf"], bytes: 10_485_760 },
  images: ["https://cdn.example"],
  identity: false,
};

export const quiet: State = {
  settings,
  thread: { key: "k1", items: [], seq: 0, owner: { kind: "bot" }, ended: false, csat: "none", readByAgent: 0, link: "live", loading: false, consentNeeded: false, unread: 0 },
  list: { entries: [], loading: false, more: false },
  uploads: [],
  notices: [],
  unread: 0,
};

/** A quiet state with another thread. */
export function having(thread: Partial<State["thread"]>, more: Partial<State> = {}): State {
  return { ...quiet, ...more, thread: { ...quiet.thread, id: "c1", ...thread } };
}

export const noon = "2026-11-20T12:00:00.000Z";

export function customer(text: string, more: Partial<CustomerItem> = {}): CustomerItem {
  return { type: "customer", key: text, text, at: noon, state: "sent", seq: 1, turn: "t1", files: [], ...more };
}

export function answer(text: string, more: Partial<AnswerItem> = {}): AnswerItem {
  return { type: "answer", key: "t1", turn: "t1", text, citations: [], running: false, outcome: more.running ? undefined : "answered", startedAt: noon, level: "full", seq: 9, ...more };
}

export function citation(mark: number, more: Partial<Citation> = {}): Citation {
  return { mark, title: `Document ${mark}`, url: `/sources/1/doc${mark}?start=1&end=2`, quote: `The very words ${mark}.`, start: 1, end: 2, ...more };
}

/** Calls, in order: "send Hello", "rate t1 down {…}". */
export interface Recorded {
  chat: Chat;
  calls: string[];
  uploaded: File[];
}

export function recorder(): Recorded {
  const calls: string[] = [];
  const uploaded: File[] = [];
  const words = (args: unknown[]) => args.filter((a) => a !== undefined).map((a) => (typeof a === "object" ? JSON.stringify(a) : String(a)));
  const chat = new Proxy({} as Chat, {
    get: (_, name: string) => {
      if (name === "fileURL") return async () => "data:image/gif;base64,R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=";
      if (name === "upload") return (file: File) => uploaded.push(file);
      return (...args: unknown[]) => void calls.push([name, ...words(args)].join(" "));
    },
  });
  return { chat, calls, uploaded };
}
