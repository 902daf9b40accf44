import { act, mount } from "./dom.ts";
import { test } from "node:test";
import assert from "node:assert/strict";
import { en } from "../words.ts";
import { translator } from "../../src/core/i18n.ts";
import { later } from "../../src/later/later.ts";
import type { ChoicesItem, FormItem, State } from "../../src/core/types.ts";
import { focusThread } from "../../src/thread/focus.ts";
import { Thread } from "../../src/thread/index.tsx";
import { answer, customer, having, quiet, recorder, settings } from "./scene.ts";

const t = translator("en", en);
const hi = customer("Hi");
const consent: State = { ...quiet, settings: { ...settings, consent: { text: "We keep it." } }, thread: { ...quiet.thread, consentNeeded: true } };
const choices: ChoicesItem = { type: "choices", key: "c", seq: 3, options: [{ label: "A" }, { label: "B" }], answered: false };
const form: FormItem = { type: "form", key: "f", seq: 3, fields: { properties: { order: { type: "string" } } }, answered: false };
const failed = customer("Hi", { key: "k", state: "failed" });

function thread(state: State) {
  const draw = (next: State) => <Thread chat={recorder().chat} state={next} t={t} />;
  const page = mount(draw(state));
  const settled = () => act(() => new Promise<void>((resolve) => setImmediate(resolve)));
  return { ...page, settled, show: async (next: State) => (page.draw(draw(next)), await settled()) };
}

test("what is still to be loaded has the focus when it is drawn", async () => {
  const page = thread(quiet);
  page.find("textarea").focus();
  const shown = page.show(consent);
  assert.equal(page.all(".consent").length, 0, "the second script is here already");
  await shown;
  await later();
  await page.settled();
  assert.equal(document.activeElement, page.find(".consent"));
  page.unmount();
});

test("as long as there is nothing to write into, the log has the focus", () => {
  const page = mount(<div class="thread"><p class="scroller" tabIndex={0} /></div>);
  focusThread(page.root);
  assert.equal(document.activeElement, page.find(".scroller"));
  page.unmount();
});

const went: [what: string, before: State, had: string, after: State, has: string][] = [
  ["the field, when the consent comes", quiet, "textarea", consent, ".consent"],
  ["the consent, when it is given", consent, ".consent button", quiet, "textarea"],
  ["a question to begin with", quiet, ".suggestions li:first-child button", having({ items: [hi] }), "textarea"],
  ["choices", having({ items: [hi, choices] }), ".choice:first-child", having({ items: [hi, { ...choices, answered: true }] }), "textarea"],
  ["a form", having({ items: [hi, form] }), ".card [type=submit]", having({ items: [hi, { ...form, answered: true }] }), "textarea"],
  ["a message that is discarded", having({ items: [failed] }), "[aria-label^=Discard]", having({ items: [] }), "textarea"],
  ["the question how it went", having({ items: [hi], ended: true, csat: "requested" }), ".csat [type=submit]", having({ items: [hi], ended: true, csat: "given" }), ".ended button"],
  ["the field, when the conversation ends", having({ items: [hi] }), "textarea", having({ items: [hi], ended: true }), ".ended button"],
];
for (const [what, before, had, after, has] of went) {
  test(`the focus goes on where one writes: ${what}`, async () => {
    const page = thread(before);
    await page.settled();
    page.find<HTMLButtonElement>(had).disabled = false;
    page.find(had).focus();
    await page.show(after);
    assert.equal(document.activeElement, page.find(has));
    page.unmount();
  });
}

test("the focus is not taken from where the visitor has put it", async () => {
  const own = document.body.appendChild(document.createElement("button"));
  const page = thread(quiet);
  page.find("textarea").focus();
  own.focus();
  await page.show(having({ items: [hi], ended: true }));
  assert.equal(document.activeElement, own);
  own.remove();
  await page.show(quiet);
  page.find("textarea").focus();
  page.find("textarea").blur();
  await page.settled();
  await page.show(having({ items: [hi], ended: true }));
  assert.equal(document.activeElement, document.body, "somebody has pressed beside everything");
  page.unmount();
});

test("on a touch screen no keyboard is brought up", async () => {
  const { matchMedia } = globalThis;
  globalThis.matchMedia = ((query: string) => ({ ...matchMedia(query), matches: query === "(pointer: coarse)" })) as typeof matchMedia;
  const page = thread(quiet);
  page.find(".suggestions li:first-child button").focus();
  await page.show(having({ items: [hi, answer("Hello.")] }));
  assert.equal(document.activeElement, page.find(".scroller"));
  globalThis.matchMedia = matchMedia;
  page.unmount();
});
