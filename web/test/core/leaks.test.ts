// What one visitor leaves, the next must not get; and nothing is sent before it may be.

import { test } from "node:test";
import assert from "node:assert/strict";
import type { Kept } from "../../src/core/storage.ts";
import { until } from "./fake.ts";
import { begin, browser, create, customer, items, mount, server } from "./stage.ts";

const signed = (who: string): string => `hmac.${btoa(who)}.00`;

const consented = () => (server.settings = { ...server.settings, consent: { text: "Agree?" } });

const lines = (): string[] => server.requests.map((r) => r.line);

const keptConversations = (): Kept[] => (JSON.parse([...browser.local.values.values()][0] ?? "{}") as { conversations?: Kept[] }).conversations ?? [];

/** Has the answers to a line wait until the returned function is called. */
function holding(held: string): () => void {
  let release = () => {};
  const free = new Promise<void>((resolve) => (release = resolve));
  server.hold = (line) => (line === held ? free : undefined);
  return release;
}

test("who logs out while their conversations are linked takes nobody else's along", async () => {
  const chat = await mount();
  await begin(chat);
  chat.fresh();
  chat.send("Another");
  await until("two", () => customer(chat)?.seq !== undefined && keptConversations().length === 2);
  const release = holding("POST /v1/conversations/c2/identify");
  chat.identify(signed("ada"));
  await until("the first of them", () => lines().includes("POST /v1/conversations/c2/identify"));
  chat.logout();
  chat.identify(signed("bob"));
  await until("bob's list", () => lines().includes("GET /v1/conversations"));
  release();
  server.hold = () => undefined;
  chat.send("Bob here");
  await until("sent", () => customer(chat)?.seq !== undefined);
  assert.equal(lines().filter((line) => line.endsWith("/identify")).length, 1);
});

test("a list that comes after logging out is nobody's", async () => {
  server.list = [{ id: "c9", title: "Private", at: "2026-11-20T00:00:00Z", last: "Yes.", unread: 2 }];
  const release = holding("GET /v1/conversations");
  const chat = await mount();
  chat.identify(signed("ada"));
  await until("asked", () => lines().includes("GET /v1/conversations"));
  chat.logout();
  release();
  await begin(chat, "Next");
  assert.deepEqual(chat.state.list.entries.map((e) => e.id), ["c1"]);
  assert.equal(chat.state.unread, 0);
});

test("a conversation that is made while its customer logs out is not kept", async () => {
  const release = holding("POST /v1/conversations");
  const chat = await mount();
  chat.send("Ada here");
  await until("asked", () => lines().includes("POST /v1/conversations"));
  chat.logout();
  release();
  await begin(chat, "Bob here");
  assert.deepEqual(keptConversations().map((c) => c.id), ["c2"]);
  assert.deepEqual(server.only.log.map((e) => (e.message as { text: string }).text), ["Bob here"]);
  assert.equal(chat.state.problem, undefined);
});

test("what the host page said of one customer does not go with the next one's conversation", async () => {
  const chat = await mount({ context: { plan: "gold" } });
  const { key } = chat.state.thread;
  chat.setContext({ page: "/cart" });
  chat.logout();
  assert.notEqual(chat.state.thread.key, key); // the composer begins anew
  await begin(chat);
  assert.equal(server.requests.find((r) => r.line === "POST /v1/conversations")!.body.metadata, undefined);
});

test("what the host page says at the start is of whoever is signed in then", async () => {
  const first = await mount({ identity: signed("ada") });
  first.destroy();
  const chat = await mount({ identity: signed("bob"), context: { plan: "gold" } });
  await begin(chat);
  assert.deepEqual(server.requests.find((r) => r.line === "POST /v1/conversations")!.body.metadata, { plan: "gold" });
});

test("a new identity of the same customer does not wait for what was asked with the old one", async () => {
  server.list = [{ id: "c9", title: "Mine", at: "2026-11-20T00:00:00Z", last: "Yes.", unread: 0 }];
  const release = holding("GET /v1/conversations");
  const chat = await mount({ identity: signed("ada") });
  await until("asked", () => lines().includes("GET /v1/conversations"));
  server.hold = () => undefined;
  chat.identify(`${signed("ada")}00`);
  await until("the list", () => chat.state.list.entries.length === 1 && !chat.state.list.loading);
  release();
});

test("a conversation keeps its key when it gets its id, and gives way with it", async () => {
  const chat = await mount();
  const { key } = chat.state.thread;
  await begin(chat);
  assert.equal(chat.state.thread.key, key);
  chat.fresh();
  assert.notEqual(chat.state.thread.key, key);
});

test("what waited from before a consent was asked for waits for it, and it is told truly", async () => {
  const first = await mount();
  browser.onLine = false;
  first.send("Private words");
  await until("kept", () => customer(first)?.state === "sending");
  first.destroy();
  browser.onLine = true;
  consented();
  const chat = await mount({ identity: signed("ada") });
  assert.equal(customer(chat)?.text, "Private words");
  chat.resend(customer(chat)!.key);
  chat.person();
  const there = await mount(); // somewhere else nothing is sent either
  assert.equal(there.state.thread.consentNeeded, true);
  assert.deepEqual(new Set(lines()), new Set(["GET /v1/widget"]));
  chat.consent();
  await until("sent", () => customer(chat)?.seq !== undefined);
  await until("the list", () => lines().includes("GET /v1/conversations"));
  assert.deepEqual(server.requests.find((r) => r.line === "POST /v1/conversations")!.body.disclosure, { version: "1", locale: "en", consent: true });
  assert.equal(server.only.log.length, 1);
});

test("while consent is asked for, a conversation is read with its own token and nothing else", async () => {
  const first = await mount();
  const c = await begin(first);
  first.destroy();
  consented();
  server.requests.length = 0;
  const chat = await mount({ identity: signed("ada") });
  chat.visible(true);
  await until("loaded", () => !chat.state.thread.loading);
  server.event(c, "agent.message", { message: { id: "m9", role: "agent", name: "Mia", text: "Hi", at: "2026-11-21T14:00:00.000Z" } });
  await until("the message", () => items(chat).at(-1)?.type === "agent");
  assert.deepEqual([...new Set(server.requests.map((r) => r.token))].sort(), ["", "t-c1"]);
  assert.deepEqual(lines().filter((line) => line.startsWith("POST")), []);
  chat.consent();
  await until("read", () => c.read.customer === 2);
});

test("before the settings are there nobody is called, and what is said is shown and kept", async () => {
  const release = holding("GET /v1/widget");
  const chat = create();
  const started = chat.start();
  chat.person();
  chat.typing("H");
  chat.send("Hello?");
  assert.equal(customer(chat)?.state, "sending");
  const second = create(); // and after a reload
  const again = second.start();
  assert.equal(customer(second)?.text, "Hello?");
  assert.deepEqual(new Set(lines().filter((line) => line !== "GET /v1/widget")), new Set());
  second.destroy();
  release();
  await Promise.all([started, again]);
  await until("sent", () => customer(chat)?.seq !== undefined);
  assert.equal(server.conversations.size, 1);
  assert.equal(server.only.log.length, 1);
  assert.equal(server.count("POST /v1/conversations/c1/handoff"), 0);
});

test("what is said before the settings are there belongs to the conversation that was open", async () => {
  const first = await mount();
  await begin(first);
  first.destroy();
  const chat = create();
  const started = chat.start();
  chat.send("And this?");
  await started;
  await until("sent", () => customer(chat)?.seq === 2);
  assert.equal(server.conversations.size, 1);
});

test("a conversation goes on in another language when its settings cannot be had", async () => {
  const chat = await mount();
  await begin(chat);
  const failures: (string | undefined)[] = [];
  chat.subscribe((s) => failures.push(s.failed));
  let asked = 0;
  server.refuse = (line) => (line === "GET /v1/widget" && asked++ < 2 ? 503 : undefined);
  chat.setLocale("de");
  await until("three times", () => server.count("GET /v1/widget") === 4);
  chat.send("Still here?");
  await until("sent", () => customer(chat)?.seq === 2);
  assert.deepEqual(failures.filter(Boolean), []);
  assert.equal(items(chat).length, 2);
});

test("an identity that has run out is told to the host, and forgotten with the next", async () => {
  server.list = [{ id: "c9", title: "Private", at: "2026-11-20T00:00:00Z", last: "Yes.", unread: 0 }];
  const chat = await mount({ identity: signed("mia") });
  await until("the list", () => chat.state.list.entries.length === 1);
  server.begin();
  server.conversations.set("c9", { ...server.only, id: "c9" });
  chat.open("c9");
  await until("loaded", () => !chat.state.thread.loading);
  assert.equal(keptConversations()[0]?.title, "Private");
  server.refuse = (line) => (line.startsWith("GET /v1/conversations") ? 401 : undefined);
  chat.loadList();
  await until("told", () => chat.state.expired === true);
  assert.deepEqual(keptConversations(), []);
  assert.equal(chat.state.thread.id, undefined);
  server.refuse = () => undefined;
  chat.identify(signed("mia"));
  assert.equal(chat.state.expired, undefined);
  assert.equal(chat.state.problem, undefined);
  await until("the list again", () => chat.state.list.entries.length === 1);
});

test("a conversation that only an identity opens waits until the host gives one", async () => {
  server.list = [{ id: "c1", title: "Elsewhere", at: "2026-11-20T00:00:00Z", last: "Yes.", unread: 0 }];
  server.begin();
  const first = await mount({ identity: signed("mia") });
  await until("the list", () => first.state.list.entries.length === 1);
  first.open("c1");
  await until("loaded", () => !first.state.thread.loading);
  first.destroy();
  const chat = await mount();
  assert.equal(chat.state.thread.id, undefined);
  assert.equal(chat.state.problem, undefined);
  chat.identify(signed("mia"));
  await until("open again", () => chat.state.thread.id === "c1" && !chat.state.thread.loading);
});

test("only what is in the list is opened", async () => {
  const chat = await mount();
  await begin(chat);
  chat.open("nope");
  assert.equal(chat.state.thread.id, "c1");
  assert.equal(keptConversations().length, 1);
});

test("a page of its own goes on where widgets are switched off", async () => {
  server.settings = { ...server.settings, enabled: false };
  const chat = await mount({ stays: true });
  await begin(chat);
});
