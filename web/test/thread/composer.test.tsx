import { act, mount } from "./dom.ts";
import { mock, test } from "node:test";
import assert from "node:assert/strict";
import { en } from "../words.ts";
import { translator } from "../../src/core/i18n.ts";
import { later } from "../../src/later/later.ts";
import type { State } from "../../src/core/types.ts";
import { refusal } from "../../src/thread/files.ts";
import { Thread } from "../../src/thread/index.tsx";
import { answer, customer, having, quiet, recorder, settings } from "./scene.ts";

const t = translator("en", en);
await later();

/** What was asked of the second script has been done. */
const settled = () => act(() => new Promise<void>((resolve) => setImmediate(resolve)));

function thread(state: State) {
  const { chat, calls, uploaded } = recorder();
  const draw = (next: State) => <Thread chat={chat} state={next} t={t} />;
  const page = mount(draw(state));
  return { ...page, calls, uploaded, show: (next: State) => page.draw(draw(next)), acts: () => calls.filter((call) => !call.startsWith("typing")) };
}

const running = having({ items: [customer("Hi"), answer("So", { running: true })], running: "t1" });
const field = "textarea";

test("Enter sends and empties the field; Shift and Enter breaks the line", () => {
  const page = thread(quiet);
  page.type(field, " Hello ");
  assert.equal(page.key(field, "Enter", { shiftKey: true }).defaultPrevented, false);
  assert.deepEqual(page.acts(), []);
  assert.equal(page.key(field, "Enter").defaultPrevented, true);
  assert.deepEqual(page.acts(), ["send Hello"]);
  assert.equal(page.find<HTMLTextAreaElement>(field).value, "");
  page.key(field, "Enter");
  assert.deepEqual(page.acts(), ["send Hello"], "nothing is sent when nothing was written");
  page.unmount();
});

test("what was begun stays with its conversation, and is nobody else's after a log-out", () => {
  const shown = (key: string, id?: string) => ({ ...quiet, thread: { ...quiet.thread, key, id } });
  const page = thread(shown("k1"));
  const written = () => page.find<HTMLTextAreaElement>(field).value;
  page.type(field, "For the first");
  page.show(shown("k1", "c1"));
  assert.equal(written(), "For the first", "the new conversation has got its id");
  page.type(field, "For the first one");
  page.show(shown("k2", "c2"));
  assert.equal(written(), "");
  page.show(shown("k3", "c1"));
  assert.equal(written(), "For the first one");
  page.show(shown("k4"));
  page.type(field, "My card number is");
  page.show(shown("k5"));
  assert.equal(written(), "");
  page.unmount();
});

test("what was written before the settings are there stays, also while consent is asked for", () => {
  const page = thread({ ...quiet, settings: undefined });
  page.type(field, "Early");
  page.show({ ...quiet, thread: { ...quiet.thread, key: "k2", id: "c1" } });
  assert.equal(page.find<HTMLTextAreaElement>(field).value, "Early");
  page.unmount();
  const gated = (consentNeeded: boolean) => ({ ...quiet, thread: { ...quiet.thread, consentNeeded } });
  const other = thread({ ...quiet, settings: undefined });
  other.type(field, "Early");
  other.show(gated(true));
  assert.equal(other.all(field).length, 0);
  other.show(gated(false));
  assert.equal(other.find<HTMLTextAreaElement>(field).value, "Early");
  other.unmount();
});

test("a key that belongs to an input method never sends", () => {
  const page = thread(quiet);
  page.type(field, "こんにちは");
  page.key(field, "Enter", { isComposing: true });
  page.key(field, "Enter", { keyCode: 229 } as KeyboardEventInit);
  assert.deepEqual(page.acts(), []);
  page.unmount();
});

test("what is written is told as typing", () => {
  const page = thread(quiet);
  page.type(field, "He");
  assert.deepEqual(page.calls, ["typing He"]);
  page.unmount();
});

test("send is stop while an answer is written, and both when there is something to send", () => {
  const page = thread(running);
  assert.equal(page.find(".primary").getAttribute("aria-label"), "Stop the answer");
  page.click(".primary");
  assert.deepEqual(page.acts(), ["stop"]);
  page.type(field, "And another thing");
  assert.deepEqual(page.all(".field .round").map((b) => b.getAttribute("aria-label")), ["Attach a file", "Stop the answer", "Send"]);
  page.unmount();
});

test("the second press of a double click on send does not stop the answer", () => {
  mock.timers.enable({ apis: ["Date"] });
  const page = thread(quiet);
  page.type(field, "Hello");
  page.key(field, "Enter");
  page.show(running);
  page.click(".primary");
  assert.deepEqual(page.acts(), ["send Hello"]);
  mock.timers.tick(600);
  page.click(".primary");
  assert.deepEqual(page.acts(), ["send Hello", "stop"]);
  mock.timers.reset();
  page.unmount();
});

test("Escape stops the answer and goes no further; without one it is the panel's", () => {
  const page = thread(running);
  let outside = 0;
  page.root.addEventListener("keydown", () => outside++);
  page.key(field, "Escape");
  assert.deepEqual(page.acts(), ["stop"]);
  assert.equal(outside, 0);
  page.show(quiet);
  page.key(field, "Escape");
  assert.equal(outside, 1);
  page.unmount();
});

test("arrow up in an empty field takes up the last message, and sending it stops what is running", () => {
  const page = thread(running);
  page.key(field, "ArrowUp");
  assert.equal(page.find<HTMLTextAreaElement>(field).value, "Hi");
  page.find(".editing");
  page.key(field, "Enter");
  assert.deepEqual(page.acts(), ["stop", "send Hi"]);
  page.type(field, "x");
  page.key(field, "ArrowUp");
  assert.equal(page.find<HTMLTextAreaElement>(field).value, "x", "a field with words keeps them");
  page.unmount();
});

test("arrow up offers no message again once a person answers", () => {
  const page = thread(having({ items: [customer("Hi")], owner: { kind: "agent", name: "Mia" } }));
  page.key(field, "ArrowUp");
  assert.equal(page.find<HTMLTextAreaElement>(field).value, "");
  page.unmount();
});

test("Escape leaves an edit before it stops anything", () => {
  const page = thread(running);
  page.key(field, "ArrowUp");
  assert.equal(page.key(field, "Escape").defaultPrevented, true, "it would close the dialog as well");
  assert.equal(page.find<HTMLTextAreaElement>(field).value, "");
  assert.deepEqual(page.acts(), []);
  page.unmount();
});

test("a message that failed can be sent again, changed or discarded", () => {
  const page = thread(having({ items: [customer("Hi", { key: "k", state: "failed", error: "Refused." })] }));
  assert.match(page.find(".failure").textContent!, /Not sent\. Refused\./);
  page.click("[aria-label='Try again to send: Hi']");
  page.click("[aria-label='Discard: Hi']");
  page.click("[aria-label='Edit and send again: Hi']");
  assert.deepEqual(page.acts(), ["resend k", "discard k", "discard k"]);
  assert.equal(page.find<HTMLTextAreaElement>(field).value, "Hi");
  page.unmount();
});

test("a text over the limit is not sent, and says by how much", () => {
  const page = thread({ ...quiet, settings: { ...settings, limits: { message_bytes: 8 } } });
  page.type(field, "ünïcödé");
  assert.match(page.find(".wrong").textContent!, /too long by 3 characters/);
  page.key(field, "Enter");
  assert.deepEqual(page.acts(), []);
  page.type(field, "short");
  assert.equal(page.all(".wrong").length, 0);
  page.unmount();
});

test("files are looked at before they are uploaded", () => {
  const rules = { types: ["image/png", "application/pdf", "text/*"], bytes: 1000 };
  assert.equal(refusal({ name: "a.png", type: "image/png", size: 10 }, rules, t), undefined);
  assert.equal(refusal({ name: "a.txt", type: "text/plain", size: 10 }, rules, t), undefined);
  assert.equal(refusal({ name: "a.exe", type: "", size: 10 }, rules, t), "a.exe cannot be sent: only PNG, PDF, or TEXT files are taken.");
  assert.equal(refusal({ name: "a.png", type: "image/png", size: 5000 }, rules, t), "a.png is too large: 4.9 kB, and 1 kB at most.");
  assert.equal(refusal({ name: "a.png", type: "image/png", size: 0 }, rules, t), "a.png is empty.");
});

test("a pasted picture is uploaded, one of a wrong type is refused with a word", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const page = thread(quiet);
  const files = [new File(["x"], "a.png", { type: "image/png" }), new File(["x"], "b.exe", { type: "application/x-msdownload" })];
  act(() => void page.find(field).dispatchEvent(Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData: { files } })));
  await settled();
  assert.deepEqual(page.uploaded.map((f) => f.name), ["a.png"]);
  assert.match(page.find(".wrong").textContent!, /b\.exe cannot be sent/);
  assert.match(page.find("[role=alert]").textContent!, /b\.exe cannot be sent/);
  act(() => mock.timers.tick(10_000));
  assert.equal(page.find("[role=alert]").textContent, "", "it was heard");
  mock.timers.reset();
  page.unmount();
});

test("files can be dropped anywhere on the conversation, where files are taken", async () => {
  const page = thread(quiet);
  const drag = (type: string, data: object) => act(() => void page.find(".scroller").dispatchEvent(Object.assign(new Event(type, { bubbles: true, cancelable: true }), { dataTransfer: data })));
  drag("dragenter", { types: ["text/plain"] });
  assert.equal(page.all(".drop").length, 0);
  drag("dragenter", { types: ["Files"] });
  page.find(".drop");
  drag("drop", { types: ["Files"], files: [new File(["x"], "a.png", { type: "image/png" })] });
  assert.equal(page.all(".drop").length, 0);
  await settled();
  assert.deepEqual(page.uploaded.map((f) => f.name), ["a.png"]);
  page.show({ ...quiet, settings: { ...settings, files: undefined } });
  drag("dragenter", { types: ["Files"] });
  assert.equal(page.all(".drop").length, 0);
  page.unmount();
});

test("nothing is sent while a file is on its way; a file alone is a message", () => {
  const upload = { key: "u", name: "a.png", type: "application/pdf", bytes: 10, sent: 5, blob: new Blob() };
  const page = thread({ ...quiet, uploads: [{ ...upload, state: "sending" }] });
  page.type(field, "Look");
  page.key(field, "Enter");
  assert.deepEqual(page.acts(), []);
  page.click("[aria-label='Remove a.png']");
  assert.deepEqual(page.acts(), ["cancelUpload u"]);
  page.show({ ...quiet, uploads: [{ ...upload, state: "ready" }] });
  page.type(field, "");
  page.key(field, "Enter");
  assert.deepEqual(page.acts(), ["cancelUpload u", "send "]);
  page.unmount();
});

test("a file that failed can be sent again, as soon as the server lets it", () => {
  const failed = { key: "u", name: "a.pdf", type: "application/pdf", bytes: 10, sent: 5, blob: new Blob(), state: "failed", error: "Busy." } as const;
  const page = thread({ ...quiet, uploads: [{ ...failed, retryAt: Date.now() + 60_000 }] });
  const again = "[aria-label='Try again to send: a.pdf']";
  assert.equal(page.find<HTMLButtonElement>(again).disabled, true);
  assert.match(page.find(".upload .size").textContent!, /Busy\. Possible again in \d+ seconds/);
  page.show({ ...quiet, uploads: [failed] });
  page.click(again);
  assert.deepEqual(page.acts(), ["retryUpload u"]);
  page.unmount();
});

test("before consent there is no field and no question to start with; after the end a new conversation", () => {
  const page = thread({ ...quiet, settings: { ...settings, consent: { text: "We keep it." } }, thread: { ...quiet.thread, consentNeeded: true } });
  assert.equal(page.all(field).length, 0);
  assert.equal(page.all(".suggestion").length, 0);
  page.click(".consent button");
  page.show(quiet);
  page.click(".suggestions li:first-child button");
  page.show(having({ ended: true, items: [customer("Hi")] }));
  page.click(".ended button");
  assert.deepEqual(page.acts(), ["consent", "send Where is my order?", "fresh"]);
  page.unmount();
});
