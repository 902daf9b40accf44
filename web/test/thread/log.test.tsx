import { act, mount } from "./dom.ts";
import { mock, test } from "node:test";
import assert from "node:assert/strict";
import { en } from "../words.ts";
import { translator } from "../../src/core/i18n.ts";
import { later } from "../../src/later/later.ts";
import type { Citation, ChoicesItem, FormItem, Item, State } from "../../src/core/types.ts";
import { Thread } from "../../src/thread/index.tsx";
import { exchanges, flagsOf, waitsFor } from "../../src/thread/Log.tsx";
import { initials } from "../../src/thread/initials.ts";
import { sourceLink, titleOf } from "../../src/thread/source.ts";
import { distant } from "../../src/thread/Time.tsx";
import { answer, citation, customer, having, noon, recorder, settings } from "./scene.ts";

const t = translator("en", en);
await later();

function thread(state: State) {
  const { chat, calls } = recorder();
  const draw = (next: State) => <Thread chat={chat} state={next} t={t} base="https://chat.example" />;
  const page = mount(draw(state));
  return { ...page, calls, show: (next: State) => page.draw(draw(next)) };
}

const hi = customer("Hi");

test("each message of the customer begins an exchange", () => {
  const line = { type: "line", key: "l", at: noon, seq: 1, what: "queued" } as const;
  const groups = exchanges([line, hi, answer("Yes"), customer("And?"), customer("Well?"), answer("No", { key: "t2" })]);
  assert.deepEqual(groups.map((group) => group.map((item) => item.key)), [["l"], ["Hi", "t1"], ["And?"], ["Well?", "t2"]]);
});

test("an answer is waited for from the moment of sending until its first word", () => {
  const waits = (more: Partial<State["thread"]>) => waitsFor(having(more).thread);
  assert.deepEqual(waits({ items: [customer("Hi", { state: "sending", turn: undefined })] }), { accepted: false });
  assert.equal(waits({ items: [customer("Hi", { state: "sending", waits: { text: "Too many.", until: 0 } })] }), undefined, "it is put off");
  assert.deepEqual(waits({ items: [hi] }), { accepted: true });
  assert.deepEqual(waits({ items: [hi, answer("", { running: true, activity: "Looking" })], running: "t1" }), { accepted: true, activity: "Looking" });
  assert.equal(waits({ items: [hi, answer("W", { running: true })], running: "t1" }), undefined);
  assert.equal(waits({ items: [hi, answer("Word")] }), undefined);
  assert.equal(waits({ items: [customer("Hi", { state: "failed" })] }), undefined);
  assert.equal(waits({ items: [customer("", { files: [{ id: "f", name: "a", type: "b", bytes: 1 }] })] }), undefined, "a file alone is not answered");
  assert.equal(waits({ items: [hi], owner: { kind: "agent" } }), undefined);
  assert.equal(waits({ items: [hi], ended: true }), undefined);
  assert.equal(waits({ items: [customer("Hi", { state: "sending" })], link: "offline" }), undefined);
});

test("only the last answer can be given again, and only by the bot", () => {
  const flags = (more: Partial<State["thread"]>) => flagsOf(having(more).thread);
  const items = [hi, answer("A", { key: "a" }), customer("Ho", { seq: 5 }), answer("B", { key: "b", turn: "t2" })];
  assert.deepEqual(flags({ items, readByAgent: 3 }), { again: "b", edit: "Ho", seen: "Hi" });
  assert.deepEqual(flags({ items, running: "t2" }).again, undefined);
  assert.deepEqual(flags({ items, owner: { kind: "agent" }, readByAgent: 9 }), { again: undefined, edit: undefined, seen: "Ho" });
  assert.equal(flags({ items: [...items, customer("More")] }).again, undefined);
});

test("the log announces nothing itself; its running answer is busy", () => {
  const page = thread(having({ items: [hi, answer("So", { running: true })], running: "t1" }));
  const log = page.find("[role=log]");
  assert.equal(log.getAttribute("aria-live"), "off");
  assert.equal(page.find(".answer").getAttribute("aria-busy"), "true");
  assert.equal(log.contains(page.find(".unseen[role=status]")), false);
  page.unmount();
});

test("after 8 s of waiting a line says what happens, after 30 s a person is offered", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const page = thread(having({ items: [hi] }));
  page.find(".waiting .dots");
  assert.equal(page.find(".waiting").textContent, "AI");
  act(() => mock.timers.tick(8000));
  assert.match(page.find(".waiting").textContent!, /Looking for the answer/);
  assert.equal(page.all(".offer").length, 0);
  act(() => mock.timers.tick(22_000));
  page.click(".offer button");
  assert.deepEqual(page.calls, ["person"]);
  mock.timers.reset();
  page.unmount();
});

test("a message that was not accepted has no answer on its way for more than 8 s", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const page = thread(having({ items: [customer("Hi", { state: "sending" })] }));
  page.find(".waiting .dots");
  act(() => mock.timers.tick(8000));
  assert.equal(page.all(".waiting").length, 0);
  assert.equal(page.find(".unseen[role=status]").textContent, "");
  page.show(having({ items: [hi] }));
  assert.match(page.find(".waiting").textContent!, /Looking for the answer/);
  mock.timers.reset();
  page.unmount();
});

test("a message that the server puts off says why and for how long, and can be discarded", () => {
  mock.timers.enable({ apis: ["Date", "setInterval"] });
  const page = thread(having({ items: [customer("Hi", { key: "k", state: "sending", waits: { text: "That was a lot at once.", until: 12_000 } })] }));
  assert.equal(page.find(".under .late").textContent, "Sending… That was a lot at once. Possible again in 12 seconds.");
  act(() => mock.timers.tick(12_000));
  assert.equal(page.find(".under .late").textContent!.trim(), "Sending… That was a lot at once.");
  page.click("[aria-label='Discard: Hi']");
  assert.deepEqual(page.calls, ["discard k"]);
  mock.timers.reset();
  page.unmount();
});

test("a thumb is counted at once; the other asks why, and says thanks", () => {
  const page = thread(having({ items: [hi, answer("Within 30 days.")] }));
  page.click("[aria-label='Good answer: Within 30 days.']");
  page.click("[aria-label='Bad answer: Within 30 days.']");
  assert.deepEqual(page.calls, ["rate t1 up", "rate t1 down"]);
  assert.equal(page.find<HTMLButtonElement>(".card [type=submit]").disabled, true);
  page.click(".pill:nth-child(2) input");
  page.type(".card textarea", " The price ");
  page.find<HTMLButtonElement>(".card [type=submit]").focus();
  page.click(".card [type=submit]");
  assert.equal(document.activeElement, page.find("[aria-label^='Bad answer']"), "the focus went with the form");
  assert.equal(page.calls.at(-1), 'rate t1 down {"reason":"incomplete","text":"The price"}');
  assert.match(page.find(".note").textContent!, /Thank you/);
  page.show(having({ items: [hi, answer("Within 30 days.", { rating: "down" })] }));
  assert.equal(page.find("[aria-label^='Bad answer']").getAttribute("aria-pressed"), "true");
  page.unmount();
});

test("Escape leaves the reasons, and goes no further", () => {
  const page = thread(having({ items: [hi, answer("Within 30 days.")] }));
  page.click("[aria-label^='Bad answer']");
  page.key(".card textarea", "Escape", { isComposing: true });
  assert.equal(page.key(".card textarea", "Escape").defaultPrevented, true, "it would close the dialog as well");
  assert.equal(page.all(".card").length, 0);
  assert.equal(document.activeElement, page.find("[aria-label^='Bad answer']"));
  page.unmount();
});

test("an answer is given again, its dots are there at once, and the one it replaces is folded away", () => {
  const page = thread(having({ items: [hi, answer("First.")] }));
  page.click("[aria-label='Answer again: First.']");
  assert.deepEqual(page.calls, ["retry t1"]);
  page.find(".waiting .dots");
  page.show(having({ items: [hi, answer("First.", { replacedBy: "t2" }), answer("Second.", { key: "t2", turn: "t2", retryOf: "t1" })] }));
  assert.equal(page.find<HTMLDetailsElement>("details").open, false);
  assert.match(page.find("details").textContent!, /Earlier answer.*First\./);
  assert.equal(page.all("details [aria-label^='Answer again']").length, 0);
  page.unmount();
});

test("what came of an answer is said plainly, with a way on", () => {
  const said: Record<string, RegExp> = { stopped: /Stopped/, interrupted: /broke off/, failed: /could not be answered/, refused: /does not answer this/, handed_over: /Passed on/ };
  for (const [outcome, words] of Object.entries(said)) {
    const page = thread(having({ items: [hi, answer(outcome === "refused" ? "" : "Part", { outcome: outcome as "stopped" })] }));
    assert.match(page.find(".note").textContent!, words, outcome);
    const ways = page.all(".note button").map((b) => b.textContent);
    assert.deepEqual(ways, { interrupted: ["Try again", "Talk to a person"], failed: ["Try again", "Talk to a person"], refused: ["Talk to a person"] }[outcome] ?? [], outcome);
    page.unmount();
  }
  const own = thread(having({ items: [hi, answer("I could not find it.", { outcome: "refused" })] }));
  assert.equal(own.find(".note").textContent, "Talk to a person", "the assistant's own words say it");
  own.unmount();
  const page = thread(having({ items: [hi, answer("", { outcome: "handed_over" })] }));
  assert.equal(page.all(".answer").length, 0, "nothing was said, and the lines tell who takes over");
  page.unmount();
});

test("a choice is sent as its text or label, and is history once something was said", () => {
  const choices: ChoicesItem = { type: "choices", key: "c", seq: 3, options: [{ label: "Order 8", text: "8" }, { label: "None" }], answered: false };
  const page = thread(having({ items: [hi, choices] }));
  page.click(".choice:first-child");
  page.click(".choice:last-child");
  assert.deepEqual(page.calls, ["send 8", "send None"]);
  page.show(having({ items: [hi, { ...choices, answered: true }] }));
  assert.ok(page.all(".choice").every((b) => (b as HTMLButtonElement).disabled));
  page.unmount();
});

test("a form is checked, and answered by one message with a line for each field", () => {
  const form: FormItem = {
    type: "form", key: "f", seq: 3, title: "Your order", answered: false,
    fields: {
      required: ["order", "email"],
      properties: {
        order: { type: "string", title: "Order", minLength: 4 }, email: { type: "string", format: "email", title: "E-mail" }, count: { type: "integer", title: "Count" },
        shop: { enum: ["Lyon", "Hamburg"], title: "Shop" }, news: { type: "boolean", title: "News" }, odd: "not a field",
      } as Record<string, unknown>,
    },
  };
  const page = thread(having({ items: [hi, form] }));
  const input = (n: number) => `.fields .row:nth-child(${n}) [data-field]`;
  page.type(input(1), "12");
  page.type(input(2), "nobody");
  page.type(input(3), "1.5");
  page.click(".card [type=submit]");
  assert.deepEqual(page.all(".fault").map((p) => p.textContent), ["At least 4 characters.", "This is not an e-mail address: name@example.com", "This is not a number."]);
  assert.equal(document.activeElement, page.find(input(1)));
  assert.equal(page.find(input(1)).getAttribute("aria-invalid"), "true");
  page.type(input(1), "1042\nE-mail: other@example.com");
  page.type(input(2), "me@example.com");
  page.type(input(3), "2");
  page.click(input(5));
  page.click(".card [type=submit]");
  assert.deepEqual(page.calls, [`send Order: ${page.find<HTMLInputElement>(input(1)).value.replace(/\s+/g, " ")}\nE-mail: me@example.com\nCount: 2\nNews: yes`]);
  page.unmount();
});

test("a field may have any name", () => {
  const form: FormItem = { type: "form", key: "f", seq: 3, answered: false, fields: { properties: JSON.parse('{"constructor": {"type": "string"}, "__proto__": {"type": "string"}}') } };
  const page = thread(having({ items: [hi, form] }));
  assert.deepEqual(page.all("[data-field]").map((input) => (input as HTMLInputElement).value), ["", ""]);
  assert.equal(page.all(".hint").length, 0);
  page.type(".row:nth-child(2) input", "x");
  page.click(".card [type=submit]");
  assert.deepEqual(page.calls, ["send __proto__: x"]);
  page.unmount();
});

test("screen readers hear each place in the queue, and that somebody types once for each message", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const queue = (more: object) => having({ items: [hi], owner: { kind: "queue" }, queue: more });
  const mia = (typing: boolean, items: Item[] = [hi]) => having({ items, owner: { kind: "agent", name: "Mia" }, typing: typing ? { name: "Mia" } : undefined });
  const page = thread(queue({}));
  const heard: string[] = [];
  const show = (state: State) => {
    page.show(state);
    act(() => mock.timers.tick(2000));
    const { textContent } = page.find(".unseen[role=status]");
    if (textContent && textContent !== heard.at(-1)) heard.push(textContent);
  };
  [queue({ place: 3 }), queue({ place: 3, expectedWaitMs: 1000 }), queue({ place: 1 })].forEach(show);
  const hello: Item = { type: "agent", key: "a", name: "Mia", text: "Hello!", at: noon, seq: 4, files: [] };
  [mia(true), mia(false)].forEach(show);
  show(having({ items: [hi], owner: { kind: "agent", name: "Mia" }, link: "reconnecting" }));
  [mia(true), mia(false, [hi, hello]), mia(true, [hi, hello])].forEach(show);
  assert.deepEqual(heard, ["You are number 3 in the queue", "You are next", "Mia is writing", "Reconnecting…", "Connected again.", "Mia: Hello!", "Mia is writing"]);
  mock.timers.reset();
  page.unmount();
});

test("the rating of a conversation is given once, or skipped", () => {
  const page = thread(having({ items: [hi], ended: true, csat: "requested" }));
  assert.equal(page.find<HTMLButtonElement>(".csat [type=submit]").disabled, true);
  page.click(".csat input[value='4']");
  page.type(".csat textarea", "Faster");
  page.click(".csat [type=submit]");
  page.click(".csat [type=button]");
  assert.deepEqual(page.calls, ["csat 4 Faster", "skipCsat"]);
  page.show(having({ items: [hi], ended: true, csat: "given" }));
  assert.equal(page.all(".csat").length, 0);
  assert.match(page.find(".line").textContent!, /Thank you/);
  page.unmount();
});

test("a number opens its passage with the words marked; Escape closes it and gives the focus back", () => {
  const page = thread(having({ items: [hi, answer("So it is. [1]", { citations: [citation(1, { title: "Returns" })] })] }));
  page.click(".words .cite");
  assert.equal(page.find(".passage mark").textContent, "The very words 1.");
  const link = page.find<HTMLAnchorElement>(".passage a");
  assert.equal(link.getAttribute("href"), "https://chat.example/sources/1/doc1?start=1&end=2#quote");
  assert.equal(link.rel, "noopener nofollow");
  page.key(".passage", "Escape");
  assert.equal(page.all(".passage").length, 0);
  assert.equal(document.activeElement, page.find(".words .cite"));
  page.unmount();
});

test("sources are listed under a finished answer: those that it uses, the first few at first", () => {
  const citations = [1, 2, 3, 4, 5, 6].map((n) => citation(n));
  const text = "A. [3] B. [1] C. [2] D. [5] E. [4]";
  const page = thread(having({ items: [hi, answer(text, { citations, running: true })], running: "t1" }));
  assert.equal(page.all(".sources").length, 0);
  page.show(having({ items: [hi, answer(text, { citations })] }));
  assert.deepEqual(page.all(".sources .cite").map((n) => n.textContent), ["1", "2", "3"]);
  page.click(".sources > button");
  assert.equal(page.all(".source").length, 5);
  page.unmount();
});

test("passages of one document are one source", () => {
  const of = (n: number, document: string) => citation(n, { document, generation: "g", title: document });
  const page = thread(having({ items: [hi, answer("A. [1] B. [2] C. [3]", { citations: [of(1, "delivery"), of(2, "returns"), of(3, "delivery")] })] }));
  assert.deepEqual(page.all(".sources li").map((li) => li.textContent), ["13delivery", "2returns"]);
  page.unmount();
});

test("a source's address is the server's, the web's, or none", () => {
  const cases: [Partial<Citation>, string | undefined][] = [
    [{ url: "/sources/1/a?start=1" }, "https://chat.example/sources/1/a?start=1#quote"],
    [{ url: "https://docs.example/page", quote: "a-b c\nnext" }, "https://docs.example/page#:~:text=a%2Db%20c"],
    [{ url: "https://docs.example/page#part" }, "https://docs.example/page#part"],
    [{ url: "https://docs.example/page", quote: "\ud800" }, "https://docs.example/page"],
    [{ url: "javascript:alert(1)" }, undefined],
    [{ url: "data:text/html,x" }, undefined],
    [{ url: "https://[" }, undefined],
  ];
  for (const [more, want] of cases) assert.equal(sourceLink(citation(1, more), "https://chat.example"), want);
});

test("words of people are text in which addresses can be followed", () => {
  const page = thread(having({ items: [customer("<img src=x onerror=alert(1)> *not bold* https://example.com/a?b=1). javascript:alert(1) \u202Eevil")] }));
  const words = page.find(".customer .words");
  assert.equal(words.textContent, "<img src=x onerror=alert(1)> *not bold* https://example.com/a?b=1). javascript:alert(1) evil");
  assert.deepEqual([...words.querySelectorAll("*")].map((e) => e.outerHTML), ['<a href="https://example.com/a?b=1" target="_blank" rel="noopener noreferrer nofollow">https://example.com/a?b=1</a>']);
  page.unmount();
});

test("an address of nothing but points is read at once", () => {
  const page = thread(having({ items: [customer(`http://${".".repeat(30_000)}a${".".repeat(30_000)}`)] }));
  assert.equal(page.find(".customer .words").textContent!.length, 60_008);
  page.unmount();
});

test("the thread draws no element and no attribute from an answer's HTML", () => {
  const hostile = [
    "<script>alert(1)</script> <img src=x onerror=alert(1)> <svg onload=alert(1)>",
    "[a](javascript:alert(1)) [b](vbscript:x) [c](data:text/html,x) <javascript:alert(1)>",
    "![beacon](https://evil.example/p.gif) ![shown](https://cdn.example/p.png)",
    "```html\n<script>alert(1)</script>\n```",
    "| <b>a</b> | b |\n|---|---|\n| <iframe src=//x> | [7] |",
    "A fake mark [9] and a real one. [1]",
  ].join("\n\n");
  const page = thread(having({ items: [hi, answer(hostile, { citations: [citation(1)] })] }));
  const words = page.find(".answer .words");
  const allowed = new Set(["P", "A", "BDI", "IMG", "DIV", "PRE", "CODE", "SPAN", "BUTTON", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "svg", "path"]);
  const tags = [...words.querySelectorAll("*")].map((e) => e.tagName).filter((tag) => !allowed.has(tag));
  assert.deepEqual(tags, []);
  assert.deepEqual([...words.querySelectorAll("a")].map((a) => a.getAttribute("href")), []);
  assert.deepEqual([...words.querySelectorAll("img")].map((i) => i.getAttribute("src")), ["https://cdn.example/p.png"]);
  assert.equal([...words.querySelectorAll("*")].some((e) => [...e.attributes].some((a) => a.name.startsWith("on") || a.name === "style")), false);
  assert.deepEqual(page.all(".words .cite").map((b) => b.textContent), ["1"]);
  assert.match(words.textContent!, /fake mark \[9\]/);
  page.unmount();
});

test("what is finished in an answer is not drawn again while it grows", () => {
  const grow = (text: string) => having({ items: [hi, answer(text, { running: true })], running: "t1" });
  const page = thread(grow("First paragraph.\n\n- one\n- two\n\nThird"));
  const first = page.find(".answer .words > p:first-child");
  const seen: Node[] = [];
  const watch = new (page.root.ownerDocument.defaultView as unknown as typeof globalThis).MutationObserver((records) => seen.push(...records.map((r) => r.target)));
  watch.observe(page.find(".answer .words"), { subtree: true, childList: true, characterData: true });
  page.show(grow("First paragraph.\n\n- one\n- two\n\nThird paragraph."));
  seen.push(...watch.takeRecords().map((r) => r.target));
  watch.disconnect();
  assert.equal(page.find(".answer .words > p:first-child"), first);
  assert.deepEqual([...new Set(seen.map((node) => node.textContent))], ["Third paragraph."]);
  page.unmount();
});

test("days and hours apart are separated; initials are of the first and last name", () => {
  assert.equal(distant(undefined, noon), true);
  assert.equal(distant(noon, "2026-11-20T12:30:00Z"), false);
  assert.equal(distant(noon, "2026-11-20T13:30:00Z"), true);
  assert.deepEqual(["Mia Larsen", "Jean-Luc de la Tour", "émile", "李 小龙", "(x) 👋", "e\u0301mile", ""].map(initials), ["ML", "JT", "É", "李小", "X", "E", ""]);
});

test("notices stand first, as plain text, and each can be dismissed", () => {
  const notices = [
    { id: "b1", text: "Deliveries <b>are</b> late.", url: "https://shop.example/late", until: noon },
    { id: "b2", text: "\u202eevil", url: "javascript:alert(1)", until: noon },
  ];
  const page = thread(having({ items: [] }, { notices }));
  const board = page.find(".notices");
  assert.equal(board.getAttribute("role"), "status");
  assert.equal(board, page.find(".thread").firstElementChild);
  const [first, second] = [...board.querySelectorAll(".notice")];
  assert.equal(first!.querySelector("p")!.textContent, "Deliveries <b>are</b> late. Read more");
  assert.equal(first!.querySelector("a")!.getAttribute("href"), "https://shop.example/late");
  assert.equal(second!.querySelector("a"), null, "an address that is none");
  assert.equal(second!.querySelector("p")!.textContent!.trim(), "evil");
  const dismiss = second!.querySelector("button")!;
  assert.equal(dismiss.getAttribute("aria-label"), "Dismiss: evil");
  act(() => dismiss.click());
  assert.deepEqual(page.calls, ["dismissNotice b2"]);
  page.show(having({ items: [] }));
  assert.equal(page.find(".notices").childElementCount, 0, "the region stays, so that what comes is announced");
});

test("a citation of a notice is called so in the reader's language and leads nowhere", () => {
  const cited = citation(1, { title: "Notice", url: "", document: "notice:b1", generation: "" });
  assert.equal(sourceLink(cited, "https://chat.example"), undefined);
  const german = translator("de", { ...en, "thread.notice": "Hinweis" }, "de");
  assert.equal(titleOf(cited, german), "Hinweis");
  const page = thread(having({ items: [hi, answer("Late.[1]", { citations: [cited] })] }));
  assert.equal(page.find(".sources .source").textContent, "Notice");
  assert.equal(page.find(".sources").querySelector("a"), null);
});

test("who waits is told whether people are there, and when they are back", () => {
  const waiting = (hours?: { open: boolean; changes_at?: string }) =>
    thread(having({ items: [hi], owner: { kind: "queue" }, queue: { place: 2 } }, { settings: { ...settings, hours } })).find(".queue").textContent!;
  assert.doesNotMatch(waiting(), /Our team|Nobody/);
  assert.match(waiting({ open: true, changes_at: "2026-11-23T16:30:00.000Z" }), /Our team is here right now\.(?!.*Back again)/);
  const tomorrow = new Date(Date.now() + 86_400_000);
  assert.match(waiting({ open: false, changes_at: tomorrow.toISOString() }), /Nobody from our team is here right now\. Back again: \S*tomorrow/);
  assert.match(waiting({ open: false }), /right now\.(?!.*Back again)/);
});
