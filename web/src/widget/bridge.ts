// Between the host page and the chat: what it may call, and what it is told.

import type { Chat } from "../core/types.ts";
import { onMessage } from "../shell/mount.tsx";
import type { EventName } from "./contract.ts";

/** Does what the host page asks of the conversation. What it gives may be anything; what
 * has the wrong type is refused with an error that names the method. */
export function perform(chat: Chat, method: string, [given]: readonly unknown[]): void {
  const text = (): string => {
    if (typeof given !== "string" || given === "") throw new TypeError(`Answerable.${method} takes a text, not ${JSON.stringify(given)}`);
    return given;
  };
  switch (method) {
    case "identify":
      return chat.identify(text());
    case "logout":
      return chat.logout();
    case "setContext":
      if (typeof given !== "object" || given === null || Array.isArray(given)) throw new TypeError("Answerable.setContext takes an object");
      return chat.setContext(given as Record<string, unknown>);
    case "setLocale":
      return chat.setLocale(text());
    case "send":
      return chat.send(text());
    case "newConversation":
      return chat.fresh();
  }
}

/** Tells the host page what happens in the conversation; with `words`, also what was said. */
export function report(chat: Chat, words: boolean, emit: (event: EventName, detail?: unknown) => void): () => void {
  let { unread, thread, problem, failed, expired } = chat.state;
  let conversation = thread.id;
  const ends = [
    onMessage(chat, ({ text, ...message }) => emit("message", { ...message, ...(words && { text }) })),
    chat.onEvent((kind, item) => {
      const { id } = chat.state.thread;
      if (kind === "message.accepted" && item?.type === "customer") emit("sent", { conversation: id, ...(words && { text: item.text }) });
      if (kind === "handoff") emit("handoff", { conversation: id });
      if (kind === "closed") emit("ended", { conversation: id });
    }),
    chat.subscribe((state) => {
      if (state.thread.id !== conversation) emit("conversation", { conversation: (conversation = state.thread.id) });
      if (state.unread !== unread) emit("unread", (unread = state.unread));
      if (state.problem !== problem && state.problem) emit("error", { message: state.problem.text });
      if (state.failed !== failed && state.failed) emit("error", { message: state.failed });
      if (state.expired && !expired) emit("identity", { state: "expired" });
      ({ problem, failed, expired } = state);
    }),
  ];
  return () => ends.forEach((end) => end());
}
