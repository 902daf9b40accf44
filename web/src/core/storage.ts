// What this browser remembers of a visitor: conversations with their tokens, messages that
// were not sent yet, the consent. Where the browser keeps nothing, memory does.

import type { Env } from "./env.ts";
import type { File } from "./protocol.gen.ts";

/** A conversation that this visitor began here, or opened here. */
export interface Kept {
  id: string;
  token?: string; // none if it was begun elsewhere: the signed identity opens it
  title: string; // the start of the customer's first message
  at: string; // of what was said last
  last: string; // the start of that
  seen: number; // the number up to which the customer has read
  unread: number;
  ended: boolean;
  skipped?: boolean; // the question how it went
  customer?: string; // the signed customer to whom the server knows it belongs
}

/** A message on its way. */
export interface Outgoing {
  key: string; // its client_id
  conversation: string; // or, before there is one, the name of a draft
  text: string;
  files: File[];
  at: string;
  error?: string; // given up until the customer tries again
}

export interface Data {
  version: 1;
  conversations: Kept[]; // newest first
  current?: string;
  outbox: Outgoing[];
  consent?: { version: string; locale: string; at: string };
  dismissed?: string[]; // notices, the newest last
  customer?: string; // the id of the signed customer whose conversations are here
}

const most = 50; // conversations

/** What is kept for an assistant of a server goes by this name. The loader asks for it too,
 * to see whether there is something. */
export const placeOf = (server: string, assistant: string): string => `answerable:${server}:${assistant}`;

export interface Store {
  read(): Data;
  /** Changes what is kept, in step with other tabs. Undefined leaves it as it is. */
  update(by: (data: Data) => Partial<Data> | undefined): void;
  clear(): void;
}

export function store(env: Env, name: string, kind: "local" | "session"): Store {
  let memory: Data | undefined; // once the browser has refused

  function read(): Data {
    if (memory) return memory;
    try {
      return valid(JSON.parse(env.storage(kind)?.getItem(name) ?? "null"));
    } catch {
      return valid(undefined); // forbidden, or not ours
    }
  }

  return {
    read,
    update(by) {
      const data = read();
      const change = by(data);
      if (!change) return;
      const next = { ...data, ...change };
      next.conversations = next.conversations.slice(0, most);
      const place = env.storage(kind);
      try {
        if (!place) throw new Error("no storage");
        place.setItem(name, JSON.stringify(next));
        memory = undefined;
      } catch {
        memory = next; // full, or forbidden: until the page is left
      }
    },
    clear() {
      memory = undefined;
      try {
        env.storage(kind)?.removeItem(name);
      } catch {
        // there is nothing
      }
    },
  };
}

/** What of the value is as it should be: another version, or somebody else, may have
 * written it. */
function valid(value: unknown): Data {
  const data: Data = { version: 1, conversations: [], outbox: [] };
  if (!isRecord(value) || value.version !== 1) return data;
  const text = (v: unknown): v is string => typeof v === "string";
  for (const c of list(value.conversations)) {
    if (!text(c.id) || (c.token !== undefined && !text(c.token))) continue;
    data.conversations.push({
      id: c.id,
      ...(c.token !== undefined && { token: c.token }),
      title: text(c.title) ? c.title : "",
      at: text(c.at) ? c.at : "",
      last: text(c.last) ? c.last : "",
      seen: Number(c.seen) || 0,
      unread: Number(c.unread) || 0,
      ended: c.ended === true,
      ...(c.skipped === true && { skipped: true }),
      ...(text(c.customer) && { customer: c.customer }),
    });
  }
  for (const o of list(value.outbox)) {
    if (!text(o.key) || !text(o.conversation) || !text(o.text) || !text(o.at)) continue;
    const files = list(o.files).filter((f) => text(f.id) && text(f.name) && text(f.type)) as unknown as File[];
    data.outbox.push({ key: o.key, conversation: o.conversation, text: o.text, at: o.at, files, ...(text(o.error) && { error: o.error }) });
  }
  if (Array.isArray(value.dismissed)) data.dismissed = value.dismissed.filter(text).slice(-most);
  if (text(value.current)) data.current = value.current;
  if (text(value.customer)) data.customer = value.customer;
  const { consent } = value;
  if (isRecord(consent) && text(consent.version) && text(consent.locale) && text(consent.at)) {
    data.consent = { version: consent.version, locale: consent.locale, at: consent.at };
  }
  return data;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
