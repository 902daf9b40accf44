// Folds the events of a conversation into what is shown of it. fold is a pure function: the
// same events, in whatever portions, repeated or joined by the server, give the same Thread,
// and what an event does not touch stays the same object.

import type { LogEvent, Message, Signal } from "./protocol.gen.ts";
import type { AgentItem, AnswerItem, CustomerItem, Item, Level, LineItem, Owner, Thread } from "./types.ts";

/** A Thread and what is needed to go on folding. */
export interface Log {
  readonly thread: Thread;
  /** The pieces of the running answers, by turn: the server may send some again as one. */
  readonly pieces: Readonly<Record<string, Piece>>;
  readonly level: Level;
  readonly levelReason?: string;
}

/** A text event, where its text begins in the answer, and the one before. */
interface Piece {
  readonly seq: number;
  readonly at: number;
  readonly before?: Piece;
}

export function empty(id?: string, key = ""): Log {
  const thread: Thread = {
    key,
    id,
    items: [],
    seq: 0,
    owner: { kind: "bot" },
    ended: false,
    csat: "none",
    readByAgent: 0,
    link: "idle",
    loading: id !== undefined,
    consentNeeded: false,
    unread: 0,
  };
  return { thread, pieces: {}, level: "full" };
}

/** Whether the event follows what log has without a gap. */
export function follows(log: Log, event: LogEvent): boolean {
  return ("first" in event && event.first ? event.first : event.seq) <= log.thread.seq + 1;
}

export function fold(log: Log, event: LogEvent | Signal): Log {
  if (isSignal(event)) return { ...log, thread: signal(log.thread, event) };
  if (event.seq <= log.thread.seq) return log;
  let next = log;
  try {
    next = apply(log, event);
  } catch (error) {
    console.error("Answerable: an event that is not as it should be was left out", error);
  }
  return { ...next, thread: { ...next.thread, seq: event.seq } };
}

export function isSignal(event: LogEvent | Signal): event is Signal {
  return event.kind === "typing" || event.kind === "read" || event.kind === "queue";
}

function signal(thread: Thread, event: Signal): Thread {
  switch (event.kind) {
    case "typing":
      if (event.by !== "agent" || thread.owner.kind !== "agent") return thread;
      return { ...thread, typing: event.typing ? { name: event.name ?? thread.owner.name } : undefined };
    case "read":
      return event.by === "agent" && event.seq > thread.readByAgent ? { ...thread, readByAgent: event.seq } : thread;
    case "queue":
      if (thread.owner.kind !== "queue") return thread;
      return { ...thread, queue: { since: thread.queue?.since, place: event.place, expectedWaitMs: event.expected_wait_ms } };
  }
}

function apply(log: Log, event: LogEvent): Log {
  const { thread } = log;
  const set = (change: Partial<Thread>): Log => ({ ...log, thread: { ...thread, ...change } });
  const add = (item: Item, change: Partial<Thread> = {}) => set({ ...change, items: insert(thread.items, item) });
  const line = (what: LineItem["what"], more: Partial<LineItem> = {}): LineItem => ({ type: "line", key: `${what}-${event.seq}`, at: event.at, seq: event.seq, what, ...more });

  switch (event.kind) {
    case "message.accepted":
      return set({ items: accepted(answeredNow(thread.items), event.message, event.seq, event.turn) });
    case "agent.message":
      return add(agentItem(event.message, event.seq, thread.owner), { typing: undefined });
    case "turn.started": {
      let items = thread.items;
      if (event.retry_of) items = change(items, event.retry_of, (answer) => ({ ...answer, replacedBy: event.turn }));
      return { ...log, thread: { ...thread, running: event.turn, items: insert(items, { ...answerItem(log, event.turn, event.at, event.seq), retryOf: event.retry_of }) } };
    }
    case "text": {
      const started = began(log, event.turn, event.at, event.seq);
      let before: Piece | undefined = log.pieces[event.turn];
      let at = find(started, event.turn)!.text.length;
      while (before && event.first && before.seq >= event.first) {
        at = before.at;
        before = before.before;
      }
      const items = change(started, event.turn, (answer) => ({ ...answer, text: answer.text.slice(0, at) + event.text, activity: undefined, seq: event.seq }));
      return { ...log, pieces: { ...log.pieces, [event.turn]: { seq: event.seq, at, before } }, thread: { ...thread, items } };
    }
    case "retract": {
      const { [event.turn]: _, ...pieces } = log.pieces;
      const items = change(thread.items, event.turn, (answer) => ({ ...answer, text: "", seq: event.seq }));
      return { ...log, pieces, thread: { ...thread, items } };
    }
    case "citation": {
      const { seq, kind: _, at, turn, ...citation } = event;
      return set({
        items: change(began(log, turn, at, seq), turn, (answer) => ({
          ...answer,
          citations: [...answer.citations.filter((c) => c.mark !== citation.mark), citation],
          seq,
        })),
      });
    }
    case "tool.started":
      return set({ items: change(began(log, event.turn, event.at, event.seq), event.turn, (answer) => ({ ...answer, activity: event.title, seq: event.seq })) });
    case "tool.finished":
      return set({ items: change(thread.items, event.turn, (answer) => ({ ...answer, activity: undefined, seq: event.seq })) });
    case "turn.ended": {
      const { [event.turn]: _, ...pieces } = log.pieces;
      const items = change(began(log, event.turn, event.at, event.seq), event.turn, (answer) => ({
        ...answer,
        text: event.text,
        running: false,
        outcome: event.outcome,
        activity: undefined,
        seq: event.seq,
      }));
      return { ...log, pieces, thread: { ...thread, items, running: thread.running === event.turn ? undefined : thread.running } };
    }
    case "level": {
      const items = event.turn ? change(thread.items, event.turn, (answer) => ({ ...answer, level: event.level, levelReason: event.reason })) : thread.items;
      const said = line("level", { level: event.level, reason: event.reason });
      const answer = items.findLastIndex((item) => item.type === "answer" && item.turn === event.turn);
      const next = answer < 0 ? insert(items, said) : items.toSpliced(answer, 0, said); // it is about the answer that follows
      return { ...log, level: event.level, levelReason: event.reason, thread: { ...thread, items: next } };
    }
    case "handoff":
      return add(line("asked_for_person", { reason: event.reason }), { queue: { since: event.at, expectedWaitMs: event.expected_wait_ms } });
    case "owner":
      return { ...log, thread: owned(thread, { kind: event.owner, ...(event.name !== undefined && { name: event.name }) }, event.at, line) };
    case "choices":
      return add({ type: "choices", key: `choices-${event.seq}`, seq: event.seq, options: event.options.filter(({ label }) => label), answered: false });
    case "form":
      return add({ type: "form", key: `form-${event.seq}`, seq: event.seq, title: event.title, fields: event.fields, answered: false });
    case "feedback":
      return set({ items: change(thread.items, event.turn, (answer) => ({ ...answer, rating: event.rating })) });
    case "csat.requested":
      return thread.csat === "none" ? set({ csat: "requested" }) : log;
    case "csat":
      return set({ csat: "given" });
    case "closed":
      return add(line("closed", { reason: event.reason }), { ended: true, typing: undefined, queue: undefined });
    default:
      return log; // state, and what newer servers tell
  }
}

function owned(thread: Thread, owner: Owner, at: string, line: (what: LineItem["what"], more?: Partial<LineItem>) => LineItem): Thread {
  let items = thread.items;
  const was = thread.owner;
  if (was.kind === "agent" && (owner.kind !== "agent" || owner.name !== was.name)) items = insert(items, line("left", { name: was.name }));
  if (owner.kind === "agent" && (was.kind !== "agent" || owner.name !== was.name)) items = insert(items, line("joined", { name: owner.name }));
  if (owner.kind === "bot" && was.kind !== "bot") items = insert(items, line("bot_back"));
  if (owner.kind === "queue" && was.kind !== "queue") {
    const last = items.findLast((item) => item.seq !== undefined);
    if (last?.type !== "line" || last.what !== "asked_for_person") items = insert(items, line("queued"));
  }
  const queue = owner.kind === "queue" ? (thread.queue ?? { since: at }) : undefined;
  return { ...thread, owner, items, queue, typing: undefined };
}

/** The items with the one that has a number before those that wait to be sent. */
function insert(items: Item[], item: Item): Item[] {
  const at = items.findLastIndex((other) => other.seq !== undefined) + 1;
  return [...items.slice(0, at), item, ...items.slice(at)];
}

function find(items: Item[], turn: string): AnswerItem | undefined {
  return items.findLast((item) => item.type === "answer" && item.turn === turn) as AnswerItem | undefined;
}

/** The items with another answer in the place of that of turn, if it is there. */
function change(items: Item[], turn: string, by: (answer: AnswerItem) => AnswerItem): Item[] {
  const i = items.findLastIndex((item) => item.type === "answer" && item.turn === turn);
  return i < 0 ? items : items.with(i, by(items[i] as AnswerItem));
}

/** The items with an answer for the turn, also where its start is not known. */
function began(log: Log, turn: string, at: string, seq: number): Item[] {
  const { items } = log.thread;
  return find(items, turn) ? items : insert(items, answerItem(log, turn, at, seq));
}

function answerItem(log: Log, turn: string, at: string, seq: number): AnswerItem {
  const { level, levelReason } = log;
  return { type: "answer", key: turn, turn, text: "", citations: [], running: true, startedAt: at, level, ...(levelReason !== undefined && { levelReason }), seq };
}

/** A message that was accepted takes the place of the one that waited. One that joins a turn
 * of which nothing is shown yet stands before its answer. */
function accepted(items: Item[], message: Message, seq: number, turn: string | undefined): Item[] {
  const key = message.client_id ?? `message-${seq}`;
  const waiting = items.find((item) => item.type === "customer" && item.key === key) as CustomerItem | undefined;
  const item: CustomerItem = { type: "customer", key, text: message.text, at: message.at, state: "sent", seq, turn: message.turn ?? turn, files: message.files ?? waiting?.files ?? [] };
  const next = insert(items.filter((other) => other !== waiting), item);
  const answer = item.turn === undefined ? undefined : find(next, item.turn);
  return answer?.text === "" && answer.running ? insert(next.filter((other) => other !== answer), answer) : next;
}

function agentItem(message: Message, seq: number, owner: Owner): AgentItem {
  return { type: "agent", key: message.id, name: message.name ?? owner.name ?? "", text: message.text, at: message.at, seq, files: message.files ?? [] };
}

/** Something is said: what was asked before is answered. */
function answeredNow(items: Item[]): Item[] {
  const open = (item: Item) => (item.type === "choices" || item.type === "form") && !item.answered;
  return items.some(open) ? items.map((item) => (open(item) ? ({ ...item, answered: true } as Item) : item)) : items;
}

// ---- what the customer does, before the server knows ----

export interface Draft {
  key: string; // client_id
  text: string;
  at: string;
  files: CustomerItem["files"];
  error?: string;
  waits?: CustomerItem["waits"];
}

/** Shows a message that is on its way, or one that could not be sent. */
export function waiting(log: Log, draft: Draft): Log {
  const item: CustomerItem = { type: "customer", key: draft.key, text: draft.text, at: draft.at, state: draft.error === undefined ? "sending" : "failed", error: draft.error, waits: draft.waits, files: draft.files };
  const i = log.thread.items.findIndex((other) => other.key === draft.key);
  if (i >= 0 && log.thread.items[i]!.seq !== undefined) return log; // the event came first
  const items = answeredNow(log.thread.items);
  return { ...log, thread: { ...log.thread, items: i < 0 ? [...items, item] : items.with(i, item) } };
}

/** The server has taken the message; its event will come. */
export function sent(log: Log, key: string): Log {
  const i = log.thread.items.findIndex((item) => item.type === "customer" && item.key === key && item.seq === undefined);
  if (i < 0) return log;
  const item = log.thread.items[i] as CustomerItem;
  return { ...log, thread: { ...log.thread, items: log.thread.items.with(i, { ...item, state: "sent", error: undefined, waits: undefined }) } };
}

export function discarded(log: Log, key: string): Log {
  return { ...log, thread: { ...log.thread, items: log.thread.items.filter((item) => item.key !== key || item.seq !== undefined) } };
}

export function rated(log: Log, turn: string, rating: "up" | "down" | undefined): Log {
  return { ...log, thread: { ...log.thread, items: change(log.thread.items, turn, (answer) => ({ ...answer, rating })) } };
}

/** The number of the last whole message of the company: what can be read. */
export function readable(items: Item[]): number {
  const last = items.findLast(said);
  return last?.seq ?? 0;
}

/** How many messages of the company have numbers above seen. */
export function unread(items: Item[], seen: number): number {
  return items.filter((item) => said(item) && item.seq! > seen).length;
}

function said(item: Item): boolean {
  return item.type === "agent" || (item.type === "answer" && !item.running && item.text !== "" && item.replacedBy === undefined);
}
