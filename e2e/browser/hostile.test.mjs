// Content that means harm. Each case of hostile.json is what the model answers, and the
// title of a document; the short ones are also names of agents and files. The page that the
// widget is on has a strict policy and Trusted Types: one violation fails the test, and so
// do a script that ran, a request to anybody else, and a page error (browser.mjs).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { timeout } from "../harness.mjs";
import { visitor } from "./browser.mjs";
import { strict } from "./host.mjs";
import { stage } from "./stage.mjs";

const cases = JSON.parse(readFileSync(new URL("hostile.json", import.meta.url))).map(({ name, text }) => ({
  name,
  text: [text].flat().map((part) => (typeof part === "string" ? part : part.of.repeat(part.times))).join(""),
}));

// What a log is made of. Nothing else may be in it, whatever a text says.
const allowed = new Set(
  ("div section article p span bdi b strong em i s del a button ul ol li blockquote pre code table thead tbody tr th td hr br h2 h3 h4 h5 h6 time details summary " +
    "svg path circle rect line mark label input textarea select option form fieldset legend progress figure figcaption cite small sup").split(" "),
);
const schemes = /^(https?:\/\/|mailto:|tel:)/i;

/** What is wrong with the log, after a case was shown. */
function look([allowed, schemes]) {
  const find = (root) => {
    for (const it of root.querySelectorAll("*")) {
      if (it.matches(".thread")) return it;
      const inside = it.shadowRoot && find(it.shadowRoot);
      if (inside) return inside;
    }
  };
  const thread = find(document);
  const log = thread.querySelector("[role=log]");
  const wrong = [];
  for (const it of log.querySelectorAll("*")) {
    if (!allowed.includes(it.localName)) wrong.push(`element ${it.localName}`);
    for (const { name, value } of it.attributes) {
      if (name.startsWith("on") || name === "srcdoc" || name === "style") wrong.push(`attribute ${name}=${value.slice(0, 80)}`);
      if ((name === "href" || name === "src") && !new RegExp(schemes, "i").test(value) && !(it.localName === "a" && value.startsWith(`${location.origin}/`))) wrong.push(`${it.localName} ${name}=${value.slice(0, 80)}`);
    }
  }
  const panel = log.getRootNode().querySelector(".panel") ?? document.documentElement;
  const { left, right } = thread.getBoundingClientRect();
  for (const box of [panel, thread, log.closest(".scroller")]) {
    if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "hidden") wrong.push(`${box.className || box.localName} is ${box.scrollWidth} px wide in ${box.clientWidth} px`);
  }
  for (const it of log.querySelectorAll("article, .bubble, .sources, .line")) {
    const at = it.getBoundingClientRect();
    if (at.left < left - 1 || at.right > right + 1) wrong.push(`${it.className} reaches from ${at.left} to ${at.right}`);
  }
  return wrong;
}

test("hostile answers, titles, names of agents and of files do nothing but show", { timeout: 4 * timeout }, async (t) => {
  assert.ok(cases.length >= 80);
  let at;
  const { chat, page, between } = await stage(t, {
    host: strict,
    async *answer(question) {
      at = cases[Number(/^Case (\d+)/.exec(question)?.[1])];
      yield at ? at.text : "Still here. And well.";
    },
  });
  await chat.open();
  const args = [[...allowed], schemes.source];
  const check = async (name) => assert.deepEqual(await page.evaluate(look, args), [], name);

  // A citation with the case for its title and quote comes before the answer's first text.
  const cited = new Set();
  between.rewrite = (e) => {
    if (e.kind !== "text" || cited.has(e.turn) || !at) return e;
    cited.add(e.turn);
    const short = at.text.slice(0, 2_000);
    between.inject({ kind: "citation", turn: e.turn, mark: 1, title: short, url: short.trim().slice(0, 500), quote: short, start: 0, end: 1 });
    return e;
  };
  for (const [i, { name }] of cases.entries()) {
    await chat.ask(`Case ${i}: ${name}`);
    await check(name);
    if (i % 20 === 19) {
      await page.evaluate(() => globalThis.Answerable.newConversation());
      await chat.customers.first().waitFor({ state: "detached" });
    }
  }
  at = undefined;
  await chat.ask("Still there?");
  await chat.shows("Still here. And well.");

  // Names.
  const short = cases.filter(({ text }) => text.length <= 300);
  const now = () => new Date().toISOString();
  for (const [i, { text }] of short.entries()) {
    between.inject({ kind: "owner", owner: "agent", term: i + 2, name: text });
    between.inject({ kind: "agent.message", message: { id: `m${i}`, role: "agent", name: text, text, at: now(), files: [{ id: `f${i}`, name: text, type: i % 2 ? "image/png" : text, bytes: 7 }] } });
    between.inject({ kind: "choices", options: [{ label: text, text }] });
    between.inject({ kind: "handoff", reason: text, trigger: text });
    between.inject({ kind: "form", title: text, fields: { type: "object", required: [text], properties: { [text]: { type: text, title: text, description: text, enum: i % 2 ? [text] : undefined, pattern: text } } } });
    between.signal({ kind: "typing", by: "agent", name: text, typing: true });
    between.inject({ kind: text.replace(/\s/g, "").slice(0, 20) || "x", text });
  }
  await page.waitForFunction((count) => {
    const find = (root) => [...root.querySelectorAll("*")].reduce((n, it) => n + (it.matches(".agent:not(.typing)") ? 1 : 0) + (it.shadowRoot ? find(it.shadowRoot) : 0), 0);
    return find(document) >= count;
  }, short.length);
  await check("names");
  between.inject({ kind: "owner", owner: "bot", term: 999 });
  await chat.ask("And now?");
  await chat.shows("Still here. And well.");
});

test("a citation's card with hostile words stays in the window, and its link goes nowhere harmful", { timeout: 2 * timeout }, async (t) => {
  let at;
  const { chat, page, between } = await stage(t, {
    host: strict,
    async *answer() {
      yield "It is so.";
    },
  });
  await chat.open();
  between.rewrite = (e) => {
    const cites = { ...e, ...(e.text && { text: e.text.replace("It is so.", "It is so.[1]") }) };
    if (e.kind === "text") between.inject({ kind: "citation", turn: e.turn, mark: 1, title: at.text, url: /\(([^)\s]+)/.exec(at.text)?.[1] ?? at.text, quote: at.text, start: 0, end: 1 });
    return cites;
  };
  const names = /^(script$|javascript|vbscript|data link|blob|links to|link |very long link|one very long word|right-to-left|isolates|combining|very wide|nothing but|names that)/;
  for (at of cases.filter(({ name }) => names.test(name))) {
    await chat.ask(at.name);
    await chat.answers.last().locator(".cite").first().click();
    const card = page.locator(".passage");
    await card.waitFor();
    const { x, y, width, height } = await card.boundingBox();
    assert.ok(x >= 0 && x + width <= 1280 && y >= 0 && y + height <= 860, `${at.name}: the card is ${width}x${height} at ${x}, ${y}`);
    for (const href of await card.locator("a").evaluateAll((all) => all.map((a) => a.href))) assert.match(href, /^https?:/, at.name);
    await page.keyboard.press("Escape");
    await card.waitFor({ state: "hidden" });
  }
});

test("the page without JavaScript shows hostile answers as text", { timeout }, async (t) => {
  let at;
  const { server } = await stage(t, {
    async *answer() {
      yield at.text;
    },
  });
  const context = await visitor(t, { javaScriptEnabled: false, origins: [server.url] });
  const page = await context.newPage();
  await page.goto(`${server.url}/`);
  for (at of cases.filter(({ text }) => text.length <= 300)) {
    await page.locator("textarea").fill(at.name);
    await page.locator("form button[type=submit]:not([name])").click();
    const source = await page.content();
    assert.doesNotMatch(source, /<script(?![^>]*type="application\/json"|[^>]*src="\/assets)/i, at.name);
    const wrong = await page.evaluate((allowed) => [...document.querySelectorAll("main *")].filter((it) => !allowed.includes(it.localName) || [...it.attributes].some(({ name }) => /^on|^style$|^srcdoc$/.test(name))).map((it) => it.outerHTML.slice(0, 120)), [...allowed]);
    assert.deepEqual(wrong, [], at.name);
    const hrefs = await page.locator("main a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    for (const href of hrefs) assert.match(href, /^(https?:\/\/|mailto:|tel:|\/)/i, at.name);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${at.name}: the page is too wide`);
  }
});
