import { mock, test } from "node:test";
import assert from "node:assert/strict";
import { en } from "../words.ts";
import { translator } from "../../src/core/i18n.ts";
import type { State } from "../../src/core/types.ts";
import { Narrator, pace, Queue } from "../../src/thread/announcer.ts";
import { excerpt, speech, wholeSentences } from "../../src/thread/speech.ts";
import { answer, customer, having, noon } from "./scene.ts";

const t = translator("en", en);

/** What a reader hears of a series of states, one every tick. */
function heard(states: State[], { whole = false, tick = 100 } = {}) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const polite: { at: number; text: string }[] = [];
  const urgent: string[] = [];
  let now = 0;
  const queue = new Queue((text) => polite.push({ at: now, text }));
  const narrator = new Narrator(queue, (text) => urgent.push(text));
  const pass = (ms: number) => {
    for (const end = now + ms; now < end; ) {
      now += 50;
      mock.timers.tick(50);
    }
  };
  for (const state of states) {
    narrator.see(state, t, whole);
    pass(tick);
  }
  pass(20_000);
  mock.timers.reset();
  return { polite, urgent, text: polite.map((one) => one.text).join(" ") };
}

const growing = (text: string) => having({ items: [customer("Hi"), answer(text, { running: true })], running: "t1" });
const asked = having({ items: [customer("Hi")] });

/** The states in which an answer comes a character at a time, then ends. */
function streamed(text: string): State[] {
  return [asked, ...Array.from({ length: text.length + 1 }, (_, i) => growing(text.slice(0, i))), having({ items: [customer("Hi"), answer(text)] })];
}

test("a streamed answer is said once, in whole sentences, at most every two seconds, and then that it is complete", () => {
  const text = "You can return it within **30 days**. [1] The refund takes 5.5 days! Is that all? Yes\n\n- one item\n- another";
  const { polite, urgent, text: all } = heard(streamed(text));
  assert.equal(all, "You can return it within 30 days. The refund takes 5.5 days! Is that all? Yes one item another Answer complete.");
  for (const [i, one] of polite.entries()) if (i > 0) assert.ok(one.at - polite[i - 1]!.at >= pace, `updates ${i - 1} and ${i} are ${one.at - polite[i - 1]!.at} ms apart`);
  assert.ok(polite.length > 3);
  assert.deepEqual(urgent, []);
});

test("an answer may be said only when it is complete", () => {
  const { polite } = heard(streamed("One. Two. Three."), { whole: true });
  assert.deepEqual(polite.map((one) => one.text), ["One. Two. Three.", "Answer complete."]);
});

test("of what is taken back nothing more is said, and the new answer is said whole", () => {
  const { text } = heard([asked, growing("First. "), growing("First. Second. "), growing(""), growing("Anew. "), having({ items: [customer("Hi"), answer("Anew. End.")] })]);
  assert.equal(text, "First. Anew. End. Answer complete.");
});

test("what a conversation holds when it is opened is not news", () => {
  const old = having({ items: [customer("Hi"), answer("Old words.")] });
  assert.equal(heard([having({ loading: true }), old]).text, "");
  assert.equal(heard([old, having({ id: "c2", items: [customer("Ho"), answer("Other old words.")] })]).text, "");
  // Of an answer that is running then, what comes from then on is.
  assert.equal(heard([growing("Already here. "), growing("Already here. And more. ")]).text, "And more.");
});

test("people and what happens are announced by name", () => {
  const joined = { type: "line", key: "l", at: noon, seq: 3, what: "joined", name: "Mia" } as const;
  const hello = { type: "agent", key: "a", name: "Mia", text: "Hello!", at: noon, seq: 4, files: [] } as const;
  const { text } = heard([asked, having({ items: [customer("Hi"), joined] }), having({ items: [customer("Hi"), joined, { ...hello, files: [] }] })]);
  assert.equal(text, "Mia has joined Mia: Hello!");
});

test("what goes wrong is said at once, and once", () => {
  const failed = having({ items: [customer("Hi", { state: "failed", error: "Too long." })] });
  const problem = having({ items: failed.thread.items }, { problem: { text: "The server cannot be reached." } });
  const broken = having({ items: [customer("Hi"), answer("", { outcome: "failed" })] });
  assert.deepEqual(heard([having({ items: [customer("Hi", { state: "sending" })] }), failed, problem, problem]).urgent, ["Not sent. Too long.", "The server cannot be reached."]);
  assert.deepEqual(heard([growing(""), broken]).urgent, ["This could not be answered."]);
});

test("a lost connection is told, and its return", () => {
  assert.equal(heard([asked, having({ link: "reconnecting" }), having({ link: "live" })]).text, "Reconnecting… Connected again.");
  assert.equal(heard([having({ link: "connecting" }), having({ link: "live" })]).text, "");
});

test("speech leaves out signs, numbers of sources and code", () => {
  const cases: [string, string][] = [
    ["## Returns\nSee [our page](https://example.com/a_b) and `orders`. [12]", "Returns See our page and orders."],
    ["```js\nalert(1)\n```\nDone.", "Code. Done."],
    ["| A | B |\n|---|:-:|\n| 1 | 2 |", "A, B. 1, 2."],
    ["snake_case_name stays, [x] too", "snake_case_name stays, [x] too"],
  ];
  for (const [from, want] of cases) assert.equal(speech(from, "Code"), want);
});

test("speech takes its time from the length of the text alone", () => {
  for (const text of ["[", "[](", "\n", " ", ".", "**", '."', ".[1]"]) {
    const long = text.repeat(100_000);
    assert.ok(wholeSentences(long, 0) <= long.length);
    assert.ok(speech(long, "Code").length <= long.length);
  }
});

test("a sentence ends where its language says so, and code only with its fence", () => {
  const cases: [string, string][] = [
    ["It is 5.5 days. And", "It is 5.5 days. "],
    ["It is. [1] And", "It is. [1] "],
    ["終わりました。[1]まだ", "終わりました。[1]"],
    ["هل انتهى؟ لا", "هل انتهى؟ "],
    ["Line\nnext", "Line\n"],
    ["Before.\n```\nx. y. ", "Before.\n"],
    ["No end", ""],
  ];
  for (const [text, want] of cases) assert.equal(text.slice(0, wholeSentences(text, 0)), want);
});

test("an excerpt is short and ends with a word", () => {
  assert.equal(excerpt("**Short** one. [1]", "Code"), "Short one.");
  const long = excerpt("word ".repeat(40), "Code");
  assert.match(long, /^(word ){10,11}word…$/);
});
