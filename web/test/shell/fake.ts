import type { Chat, Item, State } from "../../src/core/types.ts";

/** A Chat whose State the test sets, and which keeps what it was asked. */
export interface FakeChat extends Chat {
  readonly calls: [method: string, ...args: unknown[]][];
  set(change: Partial<State>): void;
  event(kind: string, item?: Item): void;
}

export function fakeState(change: Partial<State> = {}): State {
  return {
    settings: {
      version: 1, enabled: true, assistant: "demo", title: "Tidewhistle help", locale: "en", accent: "#0b6e63", accents: { light: "#0b6e63", dark: "#63d2c2" }, open: "Open chat",
      greeting: "How can we help?", disclosure: { version: "1", text: "An AI answers here from our documents. It can be wrong; each answer shows its sources." },
      suggestions: ["Where is my order?", "How do I return something?"], images: [], identity: true,
    },
    thread: {
      key: "", items: [], seq: 0, owner: { kind: "bot" }, ended: false, csat: "none", readByAgent: 0, link: "idle", loading: false, consentNeeded: false, unread: 0,
    },
    list: { entries: [], loading: false, more: false },
    uploads: [],
    notices: [],
    unread: 0,
    ...change,
  };
}

export function fakeChat(start: Partial<State> = {}): FakeChat {
  let state = fakeState(start);
  const listeners = new Set<(s: State) => void>();
  const hearers = new Set<(kind: string, item?: Item) => void>();
  const calls: FakeChat["calls"] = [];
  const own = {
    calls,
    get state() {
      return state;
    },
    set(change: Partial<State>) {
      state = { ...state, ...change };
      for (const listener of listeners) listener(state);
    },
    event: (kind: string, item?: Item) => hearers.forEach((hear) => hear(kind, item)),
    subscribe(listener: (s: State) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onEvent(hear: (kind: string, item?: Item) => void) {
      hearers.add(hear);
      return () => hearers.delete(hear);
    },
  };
  return new Proxy(own as unknown as FakeChat, {
    get: (target, name) => (name in target ? Reflect.get(target, name) : (...args: unknown[]) => void calls.push([String(name), ...args])),
  });
}
