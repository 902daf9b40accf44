// Messages on their way: kept before they are sent, sent in their order, one at a time in a
// conversation, and tried again until the server has taken or refused them. The client_id
// makes it harmless to send one twice, after a reload or from two tabs.

import type { Env } from "./env.ts";
import { asProblem, type Problem } from "./http.ts";
import { backOff, pauses } from "./pauses.ts";
import type { Accepted } from "./protocol.gen.ts";
import type { Outgoing, Store } from "./storage.ts";

export interface Carrier {
  /** Whether anything may be sent yet. What may not waits for send. */
  allowed(): boolean;
  /** The conversation for a draft, which is made if there is none yet. */
  conversation(draft: string): Promise<string>;
  post(message: Outgoing): Promise<Accepted>;
  sent(message: Outgoing, accepted: Accepted): void;
  /** It is tried again at a moment. */
  waits(message: Outgoing, problem: Problem, until: number): void;
  /** Says why in words for the customer. */
  failed(message: Outgoing, problem: Problem): string;
}

export interface Outbox {
  add(message: Outgoing): void;
  /** Sends what waits in a conversation or a draft. */
  send(conversation: string): void;
  again(key: string): void;
  /** It has arrived, or is not wanted. */
  drop(key: string): void;
}

/** A draft's name, under which messages wait until there is a conversation. */
export const isDraft = (conversation: string): boolean => conversation.startsWith("draft:");

export function outbox(env: Env, store: Store, carrier: Carrier, ended: AbortSignal): Outbox {
  const busy = new Set<string>();
  const { mark, pause, wake } = pauses();
  env.listen("online", wake, ended);
  ended.addEventListener("abort", wake);

  const change = (by: (list: Outgoing[]) => Outgoing[]) => store.update(({ outbox }) => ({ outbox: by(outbox) }));
  const drop = (key: string) => store.update(({ outbox }) => (outbox.some((m) => m.key === key) ? { outbox: outbox.filter((m) => m.key !== key) } : undefined));

  function next(conversation: string): Outgoing | undefined {
    return store.read().outbox.find((m) => m.conversation === conversation && m.error === undefined);
  }

  async function run(conversation: string): Promise<void> {
    if (busy.has(conversation)) return;
    busy.add(conversation);
    try {
      let failures = 0;
      for (let message = next(conversation); message && !ended.aborted && carrier.allowed(); message = next(conversation)) {
        const before = mark();
        try {
          if (isDraft(conversation)) {
            const id = await carrier.conversation(conversation);
            change((list) => list.map((m) => (m.conversation === conversation ? { ...m, conversation: id } : m)));
            return void run(id);
          }
          const accepted = await carrier.post(message);
          drop(message.key);
          if (ended.aborted) return;
          carrier.sent(message, accepted);
          failures = 0;
        } catch (error) {
          if (ended.aborted) return;
          const why = asProblem(error);
          if (why.passing) {
            const wait = backOff(env.times, failures++, why.retryAfter);
            carrier.waits(message, why, Date.now() + wait);
            await pause(wait, before);
          } else {
            const { key } = message;
            const reason = carrier.failed(message, why);
            change((list) => list.map((m) => (m.key === key ? { ...m, error: reason } : m)));
          }
        }
      }
    } finally {
      busy.delete(conversation);
    }
  }

  return {
    add(message) {
      change((list) => [...list, message]);
      void run(message.conversation);
    },
    send: (conversation) => void run(conversation),
    again(key) {
      const message = store.read().outbox.find((m) => m.key === key);
      if (!message) return;
      change((list) => list.map((m) => (m.key === key ? { ...m, error: undefined } : m)));
      void run(message.conversation);
    },
    drop,
  };
}
