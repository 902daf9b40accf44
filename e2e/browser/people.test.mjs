// Points 12 to 16: trust, and people.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { timeout } from "../harness.mjs";
import { secret } from "./server.mjs";
import { plain } from "./host.mjs";
import { Chat, stage } from "./stage.mjs";

async function* hello() {
  yield "Hello. How can I help you?";
}

/** A signed identity, as a host's server makes one. */
export function identity(user, name) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, name, exp: Math.floor(Date.now() / 1000) + 3600 })}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

test("12 It says that it is an AI at the start and on each answer; a person looks different", { timeout }, async (t) => {
  const { chat, page, server, between } = await stage(t, { answer: hello });
  await chat.open();
  assert.match(await page.locator(".disclosure").innerText(), /\bAI\b/);
  await chat.ask("One?");
  await chat.ask("Two?");
  for (const answer of await chat.answers.all()) assert.match(await answer.locator(".speaker").innerText(), /\bAI\b/);
  await server.api("POST", `/api/conversations/${between.conversation}/take`, { name: "Mia Byrne" });
  await server.api("POST", `/api/conversations/${between.conversation}/messages`, { text: "Hello, I am a person." });
  const agent = chat.agents.last();
  await agent.getByText("Mia Byrne").waitFor();
  assert.equal(await agent.locator(".avatar").innerText(), "MB");
  assert.doesNotMatch(await agent.innerText(), /\bAI\b/);
});

test("12 Where the visitor has to agree first, nothing is sent before", { timeout }, async (t) => {
  const { chat, page, between } = await stage(t, {
    answer: hello,
    assistant: { widget: { consent: true, disclosure: "2026-11", privacy: "https://shop.example/privacy", texts: [{ locale: "en", consent: "You agree that we keep this conversation." }] } },
  });
  await chat.launcher.click();
  await page.getByText("You agree that we keep this conversation.").waitFor();
  assert.equal(await page.getByRole("link", { name: /privacy/i }).getAttribute("href"), "https://shop.example/privacy");
  assert.equal(await chat.input.count(), 0);
  assert.deepEqual(between.requests.filter((r) => r.method === "POST"), []);
  const bodies = [];
  between.answer = ({ method, path, body }) => void (method === "POST" && path === "/v1/conversations" && bodies.push(JSON.parse(body)));
  await chat.button("thread.agree").click();
  await chat.ask("Hello?");
  assert.deepEqual(bodies[0].disclosure, { version: "2026-11", locale: "en", consent: true });
  await page.reload();
  await chat.open();
  await chat.ask("Again?"); // agreed once
});

test("13 A person can always be asked for, and what becomes of it is shown: queue, place, joined, typing, left", { timeout }, async (t) => {
  const { chat, page, server, between } = await stage(t, { answer: hello });
  await chat.open();
  await chat.person.first().waitFor(); // before the first message, too
  await chat.ask("Hello?");
  await chat.person.first().click();
  await chat.lines.getByText(chat.word("thread.asked_for_person")).waitFor();
  await page.getByText(chat.word("shell.state_place", { place: 1 })).waitFor();
  between.signal({ kind: "queue", place: 3, expected_wait_ms: 240_000 });
  await page.getByText(chat.word("shell.state_place", { place: 3 })).waitFor();
  const id = between.conversation;
  await server.api("POST", `/api/conversations/${id}/take`, { name: "Mia" });
  await chat.lines.getByText(chat.word("thread.joined", { name: "Mia" })).waitFor();
  await server.api("POST", `/api/conversations/${id}/typing`, { typing: true });
  await page.locator(".typing").getByRole("img", { name: chat.word("thread.types", { name: "Mia" }) }).waitFor();
  await server.api("POST", `/api/conversations/${id}/messages`, { text: "Hello, Mia here." });
  await chat.agents.getByText("Hello, Mia here.").waitFor();
  await chat.say("Thank you!");
  await chat.customers.getByText("Thank you!").waitFor();
  await server.api("POST", `/api/conversations/${id}/release`, { to: "bot" });
  await chat.lines.getByText(chat.word("thread.left", { name: "Mia" })).or(chat.lines.getByText(chat.word("thread.bot_back"))).first().waitFor();
});

test("14 Thumbs on each answer, with reasons for the one that is down; a score at the end, once, that one may skip", { timeout }, async (t) => {
  const { chat, page, between } = await stage(t, { answer: hello });
  await chat.open();
  await chat.ask("One?");
  await chat.ask("Two?");
  const bodies = [];
  between.answer = ({ path, body }) => void (/\/(feedback|csat)$/.test(path) && bodies.push(JSON.parse(body)));
  const sent = async (n) => {
    while (bodies.length < n) await new Promise((again) => setTimeout(again, 20));
  };
  const answer = (n) => chat.answers.nth(n);
  await chat.button("thread.good_it", answer(0)).click();
  await answer(0).locator("[aria-pressed=true]").waitFor();
  await chat.button("thread.bad_it", answer(1)).click();
  await page.getByRole("radio", { name: chat.word("thread.why_incomplete") }).check();
  await page.getByLabel(chat.word("thread.why_more")).fill("The price is missing.");
  await chat.button("thread.send", answer(1)).click();
  await answer(1).getByText(chat.word("thread.thanks")).waitFor();
  await sent(3); // thanks are said before it has arrived
  assert.deepEqual(bodies.map((b) => b.rating), ["up", "down", "down"]);
  assert.deepEqual([bodies.at(-1).reason, bodies.at(-1).text], ["incomplete", "The price is missing."]);
  await page.reload();
  await chat.open();
  await chat.answers.nth(1).locator("[aria-pressed=true]").waitFor();

  await chat.menu.click();
  await chat.item("shell.end").click();
  await chat.button("shell.end_yes").click();
  await page.getByRole("radio", { name: /4/ }).check();
  await page.getByLabel(chat.word("thread.csat_more")).fill("Quick.");
  await chat.button("thread.csat_send").click();
  await page.getByText(chat.word("thread.csat_thanks")).waitFor();
  await sent(4);
  assert.deepEqual(bodies.at(-1), { score: 4, text: "Quick." });
  await page.reload();
  await chat.launcher.click();
  await chat.shows("One?");
  assert.equal(await page.getByRole("radio").count(), 0, "it asks a second time");
});

test("14 Who skips the score is not asked again", { timeout }, async (t) => {
  const { chat, page } = await stage(t, { answer: hello });
  await chat.open();
  await chat.ask("One?");
  await chat.menu.click();
  await chat.item("shell.end").click();
  await chat.button("shell.end_yes").click();
  await chat.button("thread.skip").click();
  await page.getByRole("radio").first().waitFor({ state: "detached" });
  await page.reload();
  await chat.launcher.click();
  await chat.shows("One?");
  assert.equal(await page.getByRole("radio").count(), 0);
});

test("15 What came while it was closed is counted on the button and in the title; sound is off; both sides see what was read", { timeout }, async (t) => {
  const { chat, page, server, between } = await stage(t, { answer: hello });
  await page.evaluate(() => {
    globalThis.sounds = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...args) {
      globalThis.sounds++;
      return start.apply(this, args);
    };
  });
  await chat.open();
  await chat.ask("Hello?");
  const id = between.conversation;
  await server.api("POST", `/api/conversations/${id}/take`, { name: "Mia" });
  await chat.closer.click();
  await server.api("POST", `/api/conversations/${id}/messages`, { text: "First news." });
  await server.api("POST", `/api/conversations/${id}/messages`, { text: "Second news." });
  await page.getByRole("button", { name: chat.word("shell.open_unread", { n: 2 }) }).waitFor();
  assert.equal(await page.title(), "(2) The shop");
  assert.equal(await page.evaluate(() => globalThis.sounds), 0);

  const reads = [];
  between.answer = ({ path, body }) => void (path.endsWith("/read") && reads.push(JSON.parse(body)));
  await chat.launcher.click();
  await chat.shows("Second news.");
  await page.waitForFunction(() => document.title === "The shop");
  await chat.say("I have seen it.");
  await chat.customers.getByText("I have seen it.").waitFor();
  const state = async () => (await server.api("GET", `/v1/conversations/${id}`)).read;
  while ((await state()).customer === 0) await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.ok(reads.length > 0);
  const { seq } = await server.api("POST", `/api/conversations/${id}/messages`, { text: "Good." });
  await server.api("POST", `/api/conversations/${id}/read`, { seq });
  await chat.customers.last().getByText(chat.word("thread.seen"), { exact: true }).waitFor();

  // With sound on, news while it is closed is heard.
  await chat.menu.click();
  await chat.item("shell.sound").click();
  await page.keyboard.press("Escape");
  await chat.closer.click();
  const before = await page.evaluate(() => globalThis.sounds);
  await server.api("POST", `/api/conversations/${id}/messages`, { text: "Third news." });
  await page.waitForFunction((before) => globalThis.sounds > before, before);
});

test("16 Conversations are kept over a reload, listed, opened again, and follow a signed visitor to another device", { timeout }, async (t) => {
  const set = await stage(t, { answer: async function* (question) { yield `You asked: ${question}`; } });
  const { chat, page, between, shop, context } = set;
  await chat.open();
  await chat.ask("Where is my parcel?");
  await page.reload();
  await chat.open();
  await chat.shows("You asked: Where is my parcel?");
  await chat.menu.click();
  await chat.item("shell.fresh").click();
  await chat.ask("Can I send boots back?");
  assert.equal(await chat.customers.count(), 1);
  await chat.menu.click();
  await chat.item("shell.history").click();
  const entries = page.locator("button.entry");
  await entries.filter({ hasText: "Where is my parcel?" }).first().waitFor();
  await entries.filter({ hasText: "Can I send boots back?" }).first().waitFor();
  await entries.filter({ hasText: "Where is my parcel?" }).first().click();
  await chat.shows("You asked: Where is my parcel?");

  // The visitor signs in: what was anonymous is theirs, also elsewhere.
  const token = identity("customer-7", "Jo");
  await page.evaluate((token) => globalThis.Answerable.identify(token), token);
  const elsewhere = await (await context.browser()).newContext();
  t.after(() => elsewhere.close());
  const other = await elsewhere.newPage();
  await other.goto(shop.put("/signed", plain(between.url, `data-identity="${token}"`)));
  const there = new Chat(other);
  await there.open();
  await there.menu.click();
  await there.item("shell.history").click();
  await other.locator("button.entry").filter({ hasText: "Where is my parcel?" }).first().click();
  await there.shows("You asked: Where is my parcel?");

  // Logging out on a shared device leaves nothing.
  await page.evaluate(() => globalThis.Answerable.logout());
  await page.waitForFunction(() => !JSON.stringify({ ...localStorage }).includes("parcel"));
  assert.equal(await chat.customers.count(), 0);
});
