import { test } from "node:test";
import assert from "node:assert/strict";
import { placeOf, store } from "../../src/core/storage.ts";
import { FakeBrowser } from "./fake.ts";

const entry = (id: string, at = "2026-11-21T14:00:00Z") => ({ id, token: `t-${id}`, title: "T", at, last: "L", seen: 3, unread: 1, ended: false });
const message = { key: "k", conversation: "c1", text: "Hi", at: "2026-11-21T14:00:00Z", files: [] };

test("what one tab keeps another reads, and a session keeps to itself", () => {
  const browser = new FakeBrowser();
  const one = store(browser.tab(), "a", "local");
  one.update(() => ({ conversations: [entry("c1")], current: "c1", outbox: [message] }));
  assert.deepEqual(store(browser.tab(), "a", "local").read(), one.read());
  assert.deepEqual(store(browser.tab(), "b", "local").read().conversations, []);
  const session = store(browser.tab(), "a", "session");
  session.update(() => ({ current: "c2" }));
  assert.equal(one.read().current, "c1");
});

test("what is not as it should be is dropped, and the rest stays", () => {
  const browser = new FakeBrowser();
  const read = (value: unknown) => {
    browser.local.setItem("a", typeof value === "string" ? value : JSON.stringify(value));
    return store(browser.tab(), "a", "local").read();
  };
  const nothing = { version: 1, conversations: [], outbox: [] };
  for (const value of ["", "{", "null", "[]", "7", { version: 2, conversations: [entry("c1")] }]) assert.deepEqual(read(value), nothing);
  assert.deepEqual(read({ version: 1, conversations: [entry("c1"), null, { id: 7 }, { id: "c2", token: 1 }], outbox: [message, { key: "x" }], current: {}, consent: { version: 1 } }), {
    ...nothing,
    conversations: [entry("c1")],
    outbox: [message],
  });
  assert.deepEqual(read({ version: 1, conversations: "x", outbox: { 0: message } }), nothing);
});

test("where the browser keeps nothing, memory does", () => {
  const browser = new FakeBrowser();
  const full = store(browser.tab(), "a", "local");
  browser.local.full = true;
  full.update(() => ({ current: "c1" }));
  assert.equal(full.read().current, "c1");
  browser.local.full = false;
  full.update(() => ({ current: "c2" }));
  assert.match(browser.local.getItem("a")!, /"c2"/);

  const forbidden = store({ ...browser.tab(), storage: () => undefined }, "a", "local");
  forbidden.update(() => ({ current: "c1" }));
  assert.equal(forbidden.read().current, "c1");
  forbidden.clear();
  assert.equal(forbidden.read().current, undefined);
});

test("at most fifty conversations are kept", () => {
  const one = store(new FakeBrowser().tab(), "a", "local");
  one.update(() => ({ conversations: Array.from({ length: 60 }, (_, i) => entry(`c${i}`)) }));
  assert.equal(one.read().conversations.length, 50);
  assert.equal(one.read().conversations[0]!.id, "c0");
});

test("each assistant of each server has a place of its own", () => {
  assert.notEqual(placeOf("https://a.example", "x"), placeOf("https://a.example", "y"));
  assert.notEqual(placeOf("https://a.example", ""), placeOf("https://b.example", ""));
});
