// How the core behaves towards a server, and what is in front of it.

import { test } from "node:test";
import assert from "node:assert/strict";
import { backOff } from "../../src/core/pauses.ts";
import { usual } from "../../src/core/env.ts";
import { described } from "../../src/core/http.ts";
import { until } from "./fake.ts";
import { answer, begin, browser, create, customer, items, mount, reply, server } from "./stage.ts";

const opened = (): number => server.requests.filter((r) => r.line.endsWith("/events")).length;

test("what a proxy refuses the server has not: nothing is given up", async () => {
  const first = await mount();
  await begin(first);
  first.destroy();
  for (const status of [401, 403, 404, 410]) {
    server.refuse = (line) => (line.includes("/v1/conversations/") ? { status, proxy: true } : undefined);
    const chat = await mount({ identity: `hmac.${btoa("mia")}.00` });
    const before = server.requests.length;
    await until("some attempts", () => server.requests.length > before + 6);
    assert.equal(chat.state.thread.id, "c1");
    assert.equal(chat.state.expired, undefined);
    server.refuse = () => undefined;
    await until("there again", () => customer(chat)?.seq === 1 && !chat.state.thread.loading);
    chat.destroy();
  }
});

test("only what describes itself as this server does is its answer", () => {
  const ours = (type: string) => described(404, JSON.stringify({ type, detail: "x" }), null);
  assert.equal(ours("/problems/not-found").passing, false);
  assert.equal(ours("about:blank").passing, true);
  assert.equal(described(404, "<h1>404</h1>", null).passing, true);
  assert.equal(described(404, "null", null).passing, true);
  assert.equal(described(413, "<h1>413</h1>", null).passing, false);
  for (const status of [408, 425, 429, 500]) assert.equal(described(status, JSON.stringify({ type: "/problems/x" }), null).passing, true);
});

test("one waits longer each time, not less than the server asks for, and never for days", () => {
  for (const failures of [0, 1, 5, 2000]) {
    const wait = backOff(usual, failures);
    const least = Math.min(usual.retryMax, usual.retryMin * 2 ** failures);
    assert.ok(wait >= least && wait <= 1.25 * least, `${wait} after ${failures}`);
  }
  assert.ok(backOff(usual, 0, 60_000) >= 60_000);
  assert.equal(described(429, "", "9999999").retryAfter, 3_600_000);
  for (const nothing of ["0", "-5", "soon", ""]) assert.equal(described(429, "", nothing).retryAfter, undefined);
});

test("a stream that is cut as soon as it begins is asked for less and less, and it is said", async () => {
  const chat = await mount({}, { retryMin: 20, retryMax: 200, patience: 30 });
  await begin(chat);
  const waits: number[] = [];
  let last = 0;
  server.stream = () => {
    if (last) waits.push(Date.now() - last);
    last = Date.now();
    return `retry: 0\n\n:\n\ndata: ${JSON.stringify(server.only.log[0])}\n\n`; // which is known already
  };
  server.cut();
  await until("some attempts", () => waits.length === 4);
  assert.ok(waits[0]! >= 20 && waits[3]! >= 8 * 20, String(waits));
  await until("a banner", () => chat.state.thread.link === "reconnecting");
});

test("an event that cannot be read is left out", async () => {
  const chat = await mount();
  const c = await begin(chat);
  const at = "2026-11-21T14:00:00.000Z";
  server.signal(c, { seq: 2, kind: "agent.message", at });
  server.signal(c, { seq: 3, kind: "choices", at });
  server.signal(c, { kind: "of a newer server" });
  for (const stray of ["{", "null", "7", "[]", "{}"]) server.raw(c, stray);
  server.signal(c, { seq: 4, kind: "agent.message", at, message: { id: "m", role: "agent", name: "Mia", text: "Hi", at } });
  await until("the next", () => chat.state.thread.seq === 4);
  assert.deepEqual(items(chat).map((i) => i.type), ["customer", "agent"]);
  assert.equal(opened(), 1);
});

test("how a conversation stands is asked for less and less, and when the server says", async () => {
  const first = await mount();
  await begin(first);
  first.destroy();
  let asked = 0;
  server.refuse = (line) => (line === "GET /v1/conversations/c1" && asked++ === 0 ? { status: 429, retryAfter: 3600 } : undefined);
  const chat = await mount();
  for (const n of [2, 3, 4]) {
    chat.send("Hello?");
    await until("sent", () => customer(chat)?.seq === n);
  }
  assert.equal(asked, 1);
  browser.fire("online"); // speaks for trying now
  await until("loaded", () => !chat.state.thread.loading);
});

test("two tabs with one draft make one conversation", async () => {
  const first = await mount();
  browser.onLine = false;
  first.send("Written offline");
  await until("kept", () => customer(first)?.state === "sending");
  first.destroy();
  browser.onLine = true;
  let release = () => {};
  const free = new Promise<void>((resolve) => (release = resolve));
  server.hold = (line) => (line === "POST /v1/conversations" ? free : undefined);
  const tabs = await Promise.all([mount(), mount()]);
  await until("one of them asks", () => server.count("POST /v1/conversations") === 1);
  release();
  for (const tab of tabs) await until("sent", () => customer(tab)?.seq === 1);
  assert.equal(server.count("POST /v1/conversations"), 1);
  assert.equal(server.only.log.length, 1);
});

test("a message that is put off says why and until when, and can be discarded", async () => {
  const chat = await mount();
  await begin(chat);
  server.refuse = (line) => (line.endsWith("/messages") ? { status: 429, retryAfter: 60 } : undefined);
  chat.send("Second");
  await until("put off", () => customer(chat)?.waits !== undefined);
  const { state, waits, key } = customer(chat)!;
  assert.equal(state, "sending");
  assert.equal(waits!.text, "That was a lot at once. Please wait a moment.");
  assert.ok(waits!.until >= Date.now() + 55_000);
  chat.discard(key);
  assert.equal(items(chat).length, 1);
  server.refuse = () => undefined;
  browser.fire("online");
  chat.send("Third");
  await until("sent", () => customer(chat)?.seq === 2);
  assert.equal(customer(chat)!.waits, undefined);
  assert.deepEqual(server.only.log.map((e) => (e.message as { text: string }).text), ["Hello?", "Third"]);
});

test("a file that could not be sent can be sent again", async () => {
  server.settings = { ...server.settings, files: { types: ["image/png"], bytes: 100 } };
  const chat = await mount();
  server.refuse = (line) => (line === "POST /v1/conversations" ? { status: 429, retryAfter: 60 } : undefined);
  chat.upload(new File(["x"], "a.png", { type: "image/png" }));
  await until("failed", () => chat.state.uploads[0]?.state === "failed");
  assert.ok(chat.state.uploads[0]!.retryAt! > Date.now());
  server.refuse = () => undefined;
  chat.retryUpload(chat.state.uploads[0]!.key);
  await until("ready", () => chat.state.uploads[0]?.state === "ready");
  assert.equal(chat.state.uploads[0]!.retryAt, undefined);
});

test("of the tabs that nobody sees one follows, and the next when it is gone", async () => {
  const hidden = { value: false };
  const tab = () => ({ ...browser.tab({ hidden: 1 }), hidden: () => hidden.value });
  const one = create({}, tab());
  await one.start();
  const c = await begin(one);
  const two = create({}, tab());
  await two.start();
  await until("two streams", () => server.streams === 2);
  hidden.value = true;
  browser.fire("visibilitychange");
  await until("one stream", () => server.streams === 1);
  assert.equal(one.state.thread.link, "live"); // nobody is told
  one.destroy();
  await until("the other", () => server.streams === 1);
  reply(c, "Yes.");
  await until("the answer", () => answer(two)?.running === false);

  const three = create({}, tab()); // begins where nobody sees it
  await three.start();
  await until("it knows", () => server.requests.filter((r) => r.line === "GET /v1/conversations/c1").length === 2);
  assert.equal(server.streams, 1);
  hidden.value = false;
  browser.fire("visibilitychange");
  await until("both", () => server.streams === 2 && answer(three)?.running === false);
});

test("an ended conversation is read and not followed, but for the question how it went", async () => {
  const chat = await mount();
  const c = await begin(chat);
  server.event(c, "csat.requested");
  server.event(c, "closed", {});
  await until("ended", () => chat.state.thread.ended);
  assert.equal(server.streams, 1);
  server.event(c, "csat", { score: 5 }); // on another device
  await until("left", () => server.streams === 0 && chat.state.thread.csat === "given");
  assert.equal(chat.state.thread.link, "idle");
  chat.destroy();
  const again = await mount();
  await until("read", () => again.state.thread.ended && !again.state.thread.loading);
  await until("left", () => server.streams === 0);
  again.send("Something else");
  await until("a new one", () => again.state.thread.id === "c2" && customer(again)?.seq === 1);
});
