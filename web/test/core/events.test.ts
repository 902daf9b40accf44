import { test } from "node:test";
import assert from "node:assert/strict";
import * as events from "../../src/core/events.ts";
import type { LogEvent, Signal } from "../../src/core/protocol.gen.ts";
import type { Thread } from "../../src/core/types.ts";
import { random } from "./random.ts";

const at = "2026-11-21T14:00:00.000Z";

/** A log of events with their numbers. */
function numbered(...list: Record<string, unknown>[]): LogEvent[] {
  return list.map((event, i) => ({ seq: i + 1, at, ...event }) as unknown as LogEvent);
}

function folded(list: (LogEvent | Signal)[], from = events.empty("c")): Thread {
  return list.reduce(events.fold, from).thread;
}

const message = (text: string, more = {}) => ({ kind: "message.accepted", message: { id: text, role: "customer", text, at, client_id: `k-${text}`, ...more } });
const citation = (mark: number, title = "Delivery") => ({ kind: "citation", turn: "t1", mark, title, url: "https://x.example", quote: "q", start: 0, end: 1 });

/** One line of what is shown. */
function shown(thread: Thread): string[] {
  return thread.items.map((item): string => {
    switch (item.type) {
      case "customer":
        return `customer ${item.text} ${item.state}`;
      case "answer":
        return `answer ${item.turn} ${JSON.stringify(item.text)} ${item.running ? "running" : item.outcome}${item.citations.map((c) => ` [${c.mark} ${c.title}]`).join("")}${item.level === "full" ? "" : ` ${item.level}`}${item.activity ? ` (${item.activity})` : ""}${item.rating ? ` ${item.rating}` : ""}${item.replacedBy ? ` replaced by ${item.replacedBy}` : ""}${item.retryOf ? ` in place of ${item.retryOf}` : ""}`;
      case "agent":
        return `agent ${item.name}: ${item.text}`;
      case "line":
        return `line ${item.what}${item.name ? ` ${item.name}` : ""}`;
      default:
        return `${item.type} ${item.answered ? "answered" : "open"}`;
    }
  });
}

test("an answer with a tool, sources and a retract", () => {
  const log = numbered(
    message("Hi", { turn: "t1" }),
    { kind: "turn.started", turn: "t1" },
    { kind: "tool.started", turn: "t1", call: "1", title: "Looking up the order" },
    { kind: "tool.finished", turn: "t1", call: "1", ok: true },
    { kind: "text", turn: "t1", text: "Wrong" },
    { kind: "retract", turn: "t1" },
    { kind: "level", turn: "t1", level: "fallback", reason: "provider down" },
    citation(1),
    citation(1, "Shipping"),
    { kind: "text", turn: "t1", text: "Right. [1]" },
    { kind: "turn.ended", turn: "t1", outcome: "answered", text: "Right. [1]" },
    { kind: "feedback", turn: "t1", rating: "up" },
    { kind: "something.new", turn: "t1" },
  );
  assert.deepEqual(shown(folded(log.slice(0, 3))), ["customer Hi sent", 'answer t1 "" running (Looking up the order)']);
  assert.deepEqual(shown(folded(log.slice(0, 6))), ["customer Hi sent", 'answer t1 "" running']);
  const thread = folded(log);
  assert.deepEqual(shown(thread), ["customer Hi sent", "line level", 'answer t1 "Right. [1]" answered [1 Shipping] fallback up']);
  assert.equal(thread.running, undefined);
  assert.equal(thread.seq, 13);
});

test("a turn that answers again stands in the other's place", () => {
  const thread = folded(
    numbered(
      message("Hi", { turn: "t1" }),
      { kind: "turn.started", turn: "t1" },
      { kind: "turn.ended", turn: "t1", outcome: "failed", text: "" },
      { kind: "turn.started", turn: "t2", retry_of: "t1" },
      { kind: "text", turn: "t2", text: "Yes." },
    ),
  );
  assert.deepEqual(shown(thread), ["customer Hi sent", 'answer t1 "" failed replaced by t2', 'answer t2 "Yes." running in place of t1']);
  assert.equal(thread.running, "t2");
});

test("a message that joins a turn before its answer shows stands before it", () => {
  const thread = folded(numbered(message("one", { turn: "t1" }), { kind: "turn.started", turn: "t1" }, message("two", { turn: "t1" }), { kind: "text", turn: "t1", text: "Both." }));
  assert.deepEqual(shown(thread), ["customer one sent", "customer two sent", 'answer t1 "Both." running']);
});

test("people come and go", () => {
  const thread = folded(
    numbered(
      { kind: "handoff", reason: "asked", trigger: "asked", expected_wait_ms: 60_000 },
      { kind: "owner", owner: "queue", term: 2 },
      { kind: "owner", owner: "agent", term: 3, name: "Mia" },
      { kind: "agent.message", message: { id: "m", role: "agent", text: "Hello", at } },
      { kind: "owner", owner: "queue", term: 4 },
      { kind: "owner", owner: "bot", term: 5 },
      { kind: "csat.requested" },
      { kind: "closed" },
      { kind: "csat", score: 5 },
    ),
  );
  assert.deepEqual(shown(thread), ["line asked_for_person", "line joined Mia", "agent Mia: Hello", "line left Mia", "line queued", "line bot_back", "line closed"]);
  assert.equal(thread.csat, "given");
  assert.equal(thread.ended, true);
});

test("signals last only as long as they mean something", () => {
  const agent = numbered({ kind: "owner", owner: "agent", term: 2, name: "Mia" });
  const typing = { kind: "typing", at, by: "agent", typing: true } as Signal;
  assert.deepEqual(folded([...agent, typing]).typing, { name: "Mia" });
  assert.equal(folded([...agent, typing, { ...typing, typing: false } as Signal]).typing, undefined);
  assert.equal(folded([...agent, { ...typing, by: "customer" } as Signal]).typing, undefined);
  assert.equal(folded([typing]).typing, undefined);
  const read = (seq: number) => ({ kind: "read", at, by: "agent", seq }) as Signal;
  assert.equal(folded([...agent, read(7), read(3)]).readByAgent, 7);
  const queue = { kind: "queue", at, place: 2, expected_wait_ms: 5 } as Signal;
  assert.deepEqual(folded([...numbered({ kind: "owner", owner: "queue", term: 2 }), queue]).queue, { since: at, place: 2, expectedWaitMs: 5 });
});

test("choices and forms are answered by what is said after them", () => {
  const log = numbered({ kind: "choices", options: [{ label: "A" }] }, { kind: "form", fields: { properties: {} } }, message("A"));
  assert.deepEqual(shown(folded(log.slice(0, 2))), ["choices open", "form open"]);
  assert.deepEqual(shown(folded(log)), ["choices answered", "form answered", "customer A sent"]);
  const waiting = events.waiting(log.slice(0, 2).reduce(events.fold, events.empty("c")), { key: "k", text: "A", at, files: [] });
  assert.equal((waiting.thread.items[0] as { answered: boolean }).answered, true);
});

test("a message keeps its key from the composer to the log, whichever comes first", () => {
  const draft = { key: "k-Hi", text: "Hi", at, files: [] };
  const [accepted] = numbered(message("Hi"));
  const before = events.waiting(events.empty("c"), draft);
  const usual = events.fold(events.sent(before, "k-Hi"), accepted!).thread;
  const hasty = events.sent(events.waiting(events.fold(before, accepted!), draft), "k-Hi").thread;
  assert.deepEqual(usual.items, hasty.items);
  assert.equal(usual.items.length, 1);
  assert.equal(usual.items[0]!.key, before.thread.items[0]!.key);
});

test("what waits stays below what the log has", () => {
  const log = events.waiting(events.empty("c"), { key: "w", text: "waits", at, files: [] });
  assert.deepEqual(shown(folded(numbered(message("one"), { kind: "turn.started", turn: "t1" }), log)), ["customer one sent", 'answer t1 "" running', "customer waits sending"]);
});

test("what an event does not touch stays the same object", () => {
  const log = numbered(message("one"), { kind: "turn.started", turn: "t1" }, { kind: "text", turn: "t1", text: "a" });
  const before = log.reduce(events.fold, events.empty("c"));
  const after = events.fold(before, { seq: 4, kind: "text", at, turn: "t1", text: "b" });
  assert.equal(after.thread.items[0], before.thread.items[0]);
  assert.equal(events.fold(after, log[0]!), after); // a repeat changes nothing
  const state = events.fold(after, { seq: 5, kind: "state", at, from: "a", to: "b" });
  assert.equal(state.thread.items, after.thread.items);
});

test("what is unread and up to where one can read", () => {
  const { items } = folded(
    numbered(message("one"), { kind: "turn.started", turn: "t1" }, { kind: "turn.ended", turn: "t1", outcome: "answered", text: "Yes." }, { kind: "agent.message", message: { id: "m", role: "agent", text: "Hi", at } }, { kind: "turn.started", turn: "t2" }, { kind: "text", turn: "t2", text: "…" }),
  );
  assert.equal(events.unread(items, 0), 2);
  assert.equal(events.unread(items, 3), 1);
  assert.equal(events.readable(items), 4);
});

test("in whatever portions, repeated or joined, the same log gives the same thread", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = random(seed);
    const log = randomLog(next);
    const want = folded(log);
    let got = events.empty("c");
    while (got.thread.seq < log.length) {
      // The server may have joined what it sends now, and begins where it likes before the gap.
      const known = got.thread.seq;
      const from = Math.max(0, known - next(4));
      const portion = (next(2) ? join(log) : log).filter((e) => e.seq > from);
      for (const event of portion.slice(0, 1 + next(portion.length))) {
        assert.ok(events.follows(got, event), `seed ${seed}: ${event.seq} follows ${got.thread.seq}`);
        got = events.fold(got, event);
      }
    }
    assert.deepEqual(got.thread, want, `seed ${seed}`);
  }
});

function randomLog(next: (n: number) => number): LogEvent[] {
  const list: Record<string, unknown>[] = [];
  for (let turn = 1; turn <= 1 + next(3); turn++) {
    const id = `t${turn}`;
    list.push(message(`m${turn}`, { turn: id }), { kind: "turn.started", turn: id, ...(turn > 1 && next(3) === 0 && { retry_of: `t${turn - 1}` }) });
    let text = "";
    for (let i = next(12); i > 0; i--) {
      const piece = "abcdef".slice(next(5));
      const one = next(10);
      if (one === 0) {
        list.push({ kind: "retract", turn: id });
        text = "";
      } else if (one === 1) list.push({ ...citation(1 + next(3)), turn: id });
      else {
        list.push({ kind: "text", turn: id, text: piece });
        text += piece;
      }
    }
    if (turn < 3 || next(2)) list.push({ kind: "turn.ended", turn: id, outcome: "answered", text });
  }
  return numbered(...list);
}

/** Text events that stand side by side as one, as the server joins them. */
function join(log: LogEvent[]): LogEvent[] {
  const out: LogEvent[] = [];
  for (const event of log) {
    const last = out.at(-1);
    if (event.kind === "text" && last?.kind === "text" && last.turn === event.turn) out[out.length - 1] = { ...event, first: last.first ?? last.seq, text: last.text + event.text };
    else out.push(event);
  }
  return out;
}

