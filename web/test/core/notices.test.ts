import assert from "node:assert/strict";
import { test } from "node:test";
import type { Chat, Notice } from "../../src/core/types.ts";
import { until } from "./fake.ts";
import { browser, create, mount, server } from "./stage.ts";

const notice = (id: string, ms: number): Notice => ({ id, text: `Notice ${id}.`, until: new Date(Date.now() + ms).toISOString() });
const told = (chat: Chat): string => chat.state.notices.map((n) => n.id).join();

test("a notice is there from the start and goes at its end, without a word from the server", async () => {
  server.settings = { ...server.settings, notices: [notice("a", 60_000), notice("b", 1000), notice("c", -1)] };
  const chat = create();
  const seen = new Set<string>();
  chat.subscribe(() => seen.add(told(chat)));
  await chat.start();
  await until("both", () => seen.has("a,b"));
  await until("the end", () => told(chat) === "a");
  assert.equal(server.count("GET /v1/widget"), 1);
});

test("a notice that comes while the chat is open is shown, with what else has changed", async () => {
  const chat = await mount({}, { news: 5 });
  chat.visible(true);
  assert.equal(told(chat), "");
  server.settings = { ...server.settings, title: "Changed", notices: [notice("new", 60_000)], hours: { open: false, changes_at: "2026-11-23T08:00:00.000Z" } };
  await until("the notice", () => told(chat) === "new");
  assert.equal(chat.state.settings?.hours?.open, false);
  assert.equal(chat.state.settings?.title, "Demo", "only what is news");
  server.settings = { ...server.settings, notices: [] };
  await until("its removal", () => told(chat) === "");
});

test("nobody is asked for news where nobody looks, nor is what is known lost when nobody answers", async () => {
  server.settings = { ...server.settings, notices: [notice("a", 60_000)] };
  const chat = await mount({}, { news: 2 });
  await new Promise((done) => setTimeout(done, 30));
  assert.equal(server.count("GET /v1/widget"), 1, "the panel is closed");
  server.refuse = (line) => (line === "GET /v1/widget" ? 503 : undefined);
  chat.visible(true);
  await until("a few looks", () => server.count("GET /v1/widget") > 3);
  assert.equal(told(chat), "a");
});

test("a notice that was dismissed stays away, in other tabs and later too", async () => {
  server.settings = { ...server.settings, notices: [notice("a", 60_000), notice("b", 60_000)] };
  const chat = await mount();
  chat.dismissNotice("a");
  assert.equal(told(chat), "b");
  const later = create({}, browser.tab());
  await later.start();
  assert.equal(told(later), "b");
});
