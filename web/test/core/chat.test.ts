import { test } from "node:test";
import assert from "node:assert/strict";
import { en } from "../words.ts";
import { translator } from "../../src/core/i18n.ts";
import { transcript } from "../../src/core/transcript.ts";
import type { AnswerItem, CustomerItem } from "../../src/core/types.ts";
import { until } from "./fake.ts";
import { answer, begin, browser, create, customer, items, mount, reply, say, server } from "./stage.ts";

test("a message begins the conversation, and its answer comes as it is written", async () => {
  const chat = await mount({ context: { page: "/cart" }, locale: "de-AT" });
  server.onMessage = (c) => reply(c, "Within ", "three days.");
  const texts: string[] = [];
  chat.subscribe((s) => texts.push((s.thread.items.at(-1) as AnswerItem).text));
  const kinds: string[] = [];
  chat.onEvent((kind, item) => kinds.push(item ? kind : `${kind}?`));
  chat.send("How long does delivery take?");
  assert.equal(customer(chat)?.state, "sending");
  await until("the answer", () => answer(chat)?.running === false);
  assert.equal(answer(chat)!.text, "Within three days.");
  assert.equal(customer(chat)!.state, "sent");
  assert.deepEqual(kinds, ["message.accepted", "turn.started", "text", "text", "turn.ended"]);
  const created = server.requests.find((r) => r.line === "POST /v1/conversations")!.body;
  assert.deepEqual(created, { locale: "de-AT", metadata: { page: "/cart" }, disclosure: { version: "1", locale: "en", consent: false } });
  assert.equal(chat.state.list.entries[0]?.title, "How long does delivery take?");
});

test("the list shows the words of the last answer, not its Markdown", async () => {
  const chat = await mount();
  server.onMessage = (c) => reply(c, "| To | Cost |\n|:---|---:|\n| **Cork** | free [1] |\n\n- see [here](https://x.example/a)");
  chat.send("Hello?");
  await until("the answer", () => answer(chat)?.running === false);
  await until("the list", () => chat.state.list.entries[0]?.last !== "");
  assert.equal(chat.state.list.entries[0]!.last, "To Cost Cork free see here");
});

test("parts of the state that did not change stay the same objects, and listeners are called once per frame", async () => {
  const chat = await mount();
  server.onMessage = (c) => reply(c, "Yes.");
  chat.send("Hello?");
  await until("the answer", () => answer(chat)?.running === false);
  const first = items(chat);
  let calls = 0;
  chat.subscribe(() => calls++);
  chat.typing("x");
  server.event(server.only, "turn.started", { turn: "t2" });
  server.event(server.only, "text", { turn: "t2", text: "More" });
  await until("the next answer", () => answer(chat)?.text === "More");
  assert.equal(items(chat)[0], first[0]);
  assert.equal(items(chat)[1], first[1]);
  assert.ok(calls >= 1);
});

test("cut and killed in mid-answer, each word is seen once", async () => {
  const chat = await mount();
  const seen: string[] = [];
  chat.subscribe(() => seen.push(answer(chat)?.text ?? ""));
  const c = await begin(chat);
  server.event(c, "turn.started", { turn: "t1" });
  say(c, "one ", "two ");
  await until("two words", () => answer(chat)?.text === "one two ");
  server.cut();
  say(c, "three ");
  await until("the third word", () => answer(chat)?.text === "one two three ");
  await server.stop();
  say(c, "four ");
  await until("a banner", () => chat.state.thread.link === "reconnecting");
  await server.start();
  await until("the fourth word", () => answer(chat)?.text === "one two three four ");
  assert.equal(chat.state.thread.link, "live");
  for (const [i, text] of seen.entries()) if (i > 0) assert.ok(text.startsWith(seen[i - 1]!), `${text} after ${seen[i - 1]}`);
});

test("behind a proxy that holds streams back, events are polled", async () => {
  server.buffering = true;
  const chat = await mount({}, { firstByte: 30 });
  chat.send("Hello?");
  await until("polling", () => chat.state.thread.link === "polling");
  reply(server.only, "Yes, ", "we do.");
  await until("the answer", () => answer(chat)?.running === false);
  assert.equal(answer(chat)!.text, "Yes, we do.");
});

test("while polling, the stream is tried again from time to time", async () => {
  server.buffering = true;
  const chat = await mount({}, { firstByte: 30, streamAgain: 200 });
  chat.send("Hello?");
  await until("polling", () => chat.state.thread.link === "polling");
  server.buffering = false;
  await until("a stream", () => {
    server.event(server.only, "state", { from: "a", to: "b" }); // ends the poll
    return chat.state.thread.link === "live";
  });
});

test("a stream that falls silent is opened again", async () => {
  const chat = await mount({}, { silence: 30 });
  chat.send("Hello?");
  const opened = () => server.requests.filter((r) => r.line.endsWith("/events")).length;
  await until("three streams", () => opened() >= 3);
});

test("numbers that are missing are fetched", async () => {
  const chat = await mount();
  const c = await begin(chat);
  c.log.push({ seq: 2, kind: "turn.started", at: "2026-11-21T14:00:00.000Z", turn: "t1" }); // nobody is told
  server.signal(c, { seq: 3, kind: "text", turn: "t1", text: "three" });
  c.log.push({ seq: 3, kind: "text", at: "2026-11-21T14:00:00.000Z", turn: "t1", text: "three" });
  await until("both", () => chat.state.thread.seq === 3);
  assert.equal(answer(chat)!.text, "three");
});

test("a message that was written offline is sent when the network is back, once", async () => {
  const chat = await mount({}, { retryMin: 60_000, retryMax: 60_000 });
  browser.onLine = false;
  browser.fire("offline");
  chat.send("Hello?");
  await until("waiting", () => customer(chat)?.state === "sending");
  assert.equal(server.conversations.size, 0);
  browser.onLine = true;
  browser.fire("online");
  await until("sent", () => customer(chat)?.seq !== undefined);
  assert.equal(server.count("POST /v1/conversations"), 1);
  assert.equal(server.count("POST /v1/conversations/c1/messages"), 1);
});

test("messages go in their order, one at a time", async () => {
  const chat = await mount();
  for (const text of ["one", "two", "three"]) chat.send(text);
  await until("all", () => items(chat).filter((i) => i.type === "customer" && i.seq !== undefined).length === 3);
  assert.deepEqual(server.only.log.map((e) => (e.message as { text: string }).text), ["one", "two", "three"]);
  assert.deepEqual(items(chat).map((i) => (i as CustomerItem).text), ["one", "two", "three"]);
});

test("a message that was not sent before a reload is sent after it", async () => {
  const first = await mount({}, { retryMin: 60_000, retryMax: 60_000 });
  server.refuse = (line) => (line.endsWith("/messages") ? 503 : undefined);
  first.send("Hello?");
  await until("an attempt", () => server.count("POST /v1/conversations/c1/messages") === 1);
  first.destroy();
  server.refuse = () => undefined;
  const second = await mount();
  await until("sent", () => customer(second)?.seq !== undefined);
  assert.equal(customer(second)!.text, "Hello?");
  assert.equal(server.count("POST /v1/conversations"), 1);
  assert.equal(server.only.log.length, 1);
});

test("a reload in mid-answer goes on with it", async () => {
  const first = await mount();
  await begin(first);
  server.event(server.only, "turn.started", { turn: "t1" });
  say(server.only, "one ");
  await until("a word", () => answer(first)?.text === "one ");
  first.destroy();
  const heard: string[] = [];
  const second = create();
  second.onEvent((kind) => heard.push(kind));
  await second.start();
  assert.equal(second.state.thread.loading, true);
  await until("loaded", () => !second.state.thread.loading);
  assert.equal(answer(second)!.text, "one ");
  assert.equal(second.state.thread.running, "t1");
  say(server.only, "two");
  await until("the next word", () => answer(second)?.text === "one two");
  assert.deepEqual(heard, ["text"]); // what was there before is no news
});

test("a message that the server refuses stays, says why, and can be tried again or discarded", async () => {
  const chat = await mount();
  server.refuse = (line) => (line.endsWith("/messages") ? 413 : undefined);
  chat.send("Long");
  await until("refused", () => customer(chat)?.state === "failed");
  assert.equal(customer(chat)!.error, "The message is too long. Please shorten it.");
  const { key } = customer(chat)!;
  server.refuse = () => undefined;
  chat.resend(key);
  await until("sent", () => customer(chat)?.seq !== undefined);
  assert.equal(customer(chat)!.key, key);
  server.refuse = (line) => (line.endsWith("/messages") ? 422 : undefined);
  chat.send("Other");
  await until("refused", () => customer(chat)?.state === "failed");
  assert.equal(customer(chat)!.error, "This was not accepted. Please change it and try again.");
  chat.discard(customer(chat)!.key);
  assert.equal(items(chat).length, 1);
});

test("a server that is busy is asked again when it says", async () => {
  const chat = await mount();
  let times = 0;
  server.refuse = (line) => (line.endsWith("/messages") && times++ === 0 ? { status: 429, retryAfter: 0 } : undefined);
  chat.send("Hello?");
  await until("sent", () => customer(chat)?.seq !== undefined);
  assert.equal(times, 2);
});

test("two tabs show the same conversation, and what is read in one is read in both", async () => {
  const one = await mount();
  const two = await mount();
  one.send("Hello?");
  await until("the same", () => two.state.thread.id === "c1" && customer(two)?.seq === 1);
  one.visible(true);
  reply(server.only, "Yes.");
  await until("read", () => answer(two)?.running === false && server.only.read.customer > 0);
  await until("nothing unread", () => two.state.unread === 0);
  two.fresh();
  await until("a new one in both", () => one.state.thread.id === undefined);
  one.open("c1");
  await until("back in both", () => two.state.thread.id === "c1");
});

test("what is said while nobody looks is unread, also after a reload", async () => {
  const first = await mount();
  await begin(first);
  reply(server.only, "Yes.");
  await until("unread", () => first.state.unread === 1);
  first.destroy();
  const second = await mount();
  await until("loaded", () => !second.state.thread.loading);
  assert.equal(second.state.thread.unread, 1);
  second.visible(true);
  await until("read", () => server.only.read.customer === 4);
  assert.equal(second.state.unread, 0);
});

test("logout forgets everything, in every tab", async () => {
  const one = await mount();
  const two = await mount();
  one.send("Hello?");
  await until("the same", () => customer(two)?.seq === 1);
  two.logout();
  await until("forgotten", () => one.state.thread.id === undefined && one.state.list.entries.length === 0);
  assert.equal(browser.local.values.size, 0);
});

test("who signs in takes along what was anonymous; another person does not see it", async () => {
  const chat = await mount();
  await begin(chat);
  server.list = [{ id: "c9", title: "Elsewhere", at: "2026-11-20T00:00:00Z", last: "Yes.", unread: 2 }];
  chat.identify(`hmac.${btoa("mia")}.00`);
  await until("the list", () => chat.state.list.entries.length === 2);
  assert.equal(server.count("POST /v1/conversations/c1/identify"), 1);
  assert.equal(chat.state.customer?.id, "mia");
  assert.equal(chat.state.unread, 2);
  chat.identify(`hmac.${btoa("ben")}.00`);
  assert.equal(chat.state.thread.id, undefined);
  assert.deepEqual(chat.state.list.entries, []);
});

test("nothing is sent before the visitor has agreed, and consent is asked for once per version", async () => {
  server.settings = { ...server.settings, consent: { text: "Agree?" } };
  const chat = await mount();
  assert.equal(chat.state.thread.consentNeeded, true);
  chat.send("Hello?");
  chat.person();
  assert.deepEqual(server.requests.map((r) => r.line), ["GET /v1/widget"]);
  chat.consent();
  chat.send("Hello?");
  await until("sent", () => customer(chat)?.seq !== undefined);
  assert.deepEqual(server.requests.find((r) => r.line === "POST /v1/conversations")!.body.disclosure, { version: "1", locale: "en", consent: true });
  const again = await mount();
  assert.equal(again.state.thread.consentNeeded, false);
  server.settings = { ...server.settings, disclosure: { version: "2", text: "New" } };
  const later = await mount();
  assert.equal(later.state.thread.consentNeeded, true);
});

test("an assistant that is switched off opens nothing", async () => {
  server.settings = { ...server.settings, enabled: false };
  const chat = await mount();
  chat.send("Hello?");
  assert.equal(chat.state.settings?.enabled, false);
  assert.deepEqual(server.requests.map((r) => r.line), ["GET /v1/widget"]);
});

test("settings that cannot be had are asked for again", async () => {
  let times = 0;
  server.refuse = (line) => (line === "GET /v1/widget" && times++ < 2 ? 503 : undefined);
  const failures: (string | undefined)[] = [];
  const chat = create();
  chat.subscribe((s) => failures.push(s.failed));
  await chat.start();
  assert.match(String(failures.find(Boolean)), /cannot be loaded/);
  assert.equal(chat.state.failed, undefined);
  assert.equal(chat.state.settings?.title, "Demo");
});

test("a conversation that the server no longer has is let go", async () => {
  const first = await mount();
  await begin(first);
  first.destroy();
  server.conversations.clear();
  const second = await mount();
  await until("a new one", () => second.state.thread.id === undefined && !second.state.thread.loading);
  assert.deepEqual(second.state.list.entries, []);
  assert.equal(second.state.problem, undefined);
});

test("an agent types, reads, and writes", async () => {
  const chat = await mount({}, { typingHolds: 20 });
  const c = await begin(chat, "A person, please");
  server.event(c, "handoff", { reason: "asked", trigger: "asked" });
  c.owner = "queue";
  server.event(c, "owner", { owner: "queue", term: 2 });
  await until("the place", () => chat.state.thread.queue?.place === 2);
  c.owner = "agent";
  server.event(c, "owner", { owner: "agent", term: 3, name: "Mia" });
  server.signal(c, { kind: "typing", by: "agent", name: "Mia", typing: true });
  await until("typing", () => chat.state.thread.typing?.name === "Mia");
  await until("no longer", () => chat.state.thread.typing === undefined);
  server.signal(c, { kind: "read", by: "agent", seq: 1 });
  await until("seen", () => chat.state.thread.readByAgent === 1);
  server.event(c, "agent.message", { message: { id: "m9", role: "agent", name: "Mia", text: "Hi", at: "2026-11-21T14:00:00.000Z" } });
  await until("the message", () => items(chat).at(-1)?.type === "agent");
  assert.deepEqual(items(chat).map((i) => (i.type === "line" ? i.what : i.type)), ["customer", "asked_for_person", "joined", "agent"]);
  assert.equal(chat.state.thread.queue, undefined);
});

test("typing is told at the first key and not at each", async () => {
  const chat = await mount({}, { typingEnds: 20 });
  await begin(chat);
  for (const text of ["a", "ab", "abc"]) chat.typing(text);
  const told = () => server.requests.filter((r) => r.line.endsWith("/typing")).map((r) => r.body.typing);
  await until("the end", () => told().length === 2);
  assert.deepEqual(told(), [true, false]);
});

test("a rating shows at once, and not if it was not taken", async () => {
  const chat = await mount();
  server.onMessage = (c) => reply(c, "Yes.");
  chat.send("Hello?");
  await until("the answer", () => answer(chat)?.running === false);
  chat.rate("t1", "down", { reason: "wrong", text: "No." });
  assert.equal(answer(chat)!.rating, "down");
  await until("told", () => server.count("POST /v1/conversations/c1/feedback") === 1);
  assert.deepEqual(server.requests.at(-1)!.body, { turn: "t1", rating: "down", reason: "wrong", text: "No." });
  server.refuse = () => ({ status: 429, retryAfter: 30 });
  chat.rate("t1", "up");
  await until("refused", () => chat.state.problem !== undefined);
  assert.equal(answer(chat)!.rating, "down");
  assert.ok(chat.state.problem!.retryAt! > Date.now());
  chat.dismiss();
  assert.equal(chat.state.problem, undefined);
});

test("files are sent when chosen and go with the next message", async () => {
  server.settings = { ...server.settings, files: { types: ["image/png"], bytes: 100 } };
  const chat = await mount();
  chat.upload(new File(["x".repeat(200)], "big.png", { type: "image/png" }));
  chat.upload(new File(["x"], "a.exe", { type: "application/x-msdownload" }));
  await until("looked at", () => chat.state.uploads.length === 2);
  assert.deepEqual(chat.state.uploads.map((u) => u.error), ["The file is too large.", "Files of this type are not taken."]);
  for (const { key } of chat.state.uploads) chat.cancelUpload(key);
  chat.upload(new File(["x"], "a.png", { type: "image/png" }));
  await until("ready", () => chat.state.uploads[0]?.state === "ready");
  chat.send("");
  await until("sent", () => customer(chat)?.seq !== undefined);
  assert.deepEqual(server.requests.find((r) => r.line.endsWith("/messages"))!.body.files, ["f1"]);
  assert.deepEqual(customer(chat)!.files, [{ id: "f1", name: "a.png", type: "image/png", bytes: 1 }]);
  assert.deepEqual(chat.state.uploads, []);
});

test("the transcript has who said what, and the sources that were cited", async () => {
  const chat = await mount();
  const c = await begin(chat, "Where?");
  server.event(c, "turn.started", { turn: "t1" });
  for (const mark of [1, 2]) server.event(c, "citation", { turn: "t1", mark, title: "Delivery", url: "https://x.example", quote: "To Austria.", start: 0, end: 1 });
  say(c, "To Austria. [1]");
  server.event(c, "turn.ended", { turn: "t1", outcome: "answered", text: "To Austria. [1]" });
  await until("the answer", () => answer(chat)?.running === false);
  const text = transcript(chat.state.settings!.title!, items(chat), translator("en", en));
  assert.match(text, /^Demo\n\nYou, .*:\nWhere\?\n\nAI assistant, .*:\nTo Austria\. \[1\]\nSources:\n\[1\] Delivery: “To Austria\.” https:\/\/x\.example\n$/);
});

test("the place in the queue is known after a reload, and asked for again", async () => {
  const first = await mount();
  const c = await begin(first);
  c.owner = "queue";
  server.event(c, "owner", { owner: "queue", term: 2 });
  await until("the place", () => first.state.thread.queue?.place === 2);
  first.destroy();
  const second = await mount({}, { queue: 5 });
  await until("the place", () => second.state.thread.queue?.place === 2);
  const looks = server.count("GET /v1/conversations/c1");
  await until("another look", () => server.count("GET /v1/conversations/c1") > looks + 2);
});

test("what was read is told for each conversation", async () => {
  const chat = await mount();
  chat.visible(true);
  server.onMessage = (c) => reply(c, "Yes.");
  for (const id of ["c1", "c2"]) {
    chat.send("Hello?");
    await until("read", () => server.conversations.get(id)?.read.customer === 4);
    chat.fresh();
  }
});

test("an identity that has run out is said to be that", async () => {
  const chat = await mount();
  server.refuse = (line) => (line === "POST /v1/conversations" || line === "GET /v1/conversations" ? 401 : undefined);
  chat.identify(`hmac.${btoa("mia")}.00`);
  await until("told", () => chat.state.problem?.text === "Your sign-in has run out. Please reload the page.");
  assert.equal(chat.state.customer, undefined);
});

test("a server without identities is not bothered with one", async () => {
  server.settings = { ...server.settings, identity: false };
  const chat = await mount({ identity: `hmac.${btoa("mia")}.00` });
  await begin(chat);
  assert.equal(chat.state.customer, undefined);
  assert.equal(server.requests.find((r) => r.line === "POST /v1/conversations")!.token, "");
  assert.equal(server.count("GET /v1/conversations"), 0);
});

test("a tab that keeps its conversations to itself is left alone by others", async () => {
  const one = await mount();
  const alone = await mount({ storage: "session" });
  await begin(alone);
  one.send("Another");
  await until("the other", () => customer(one)?.seq !== undefined);
  one.fresh();
  assert.equal(alone.state.thread.id, "c1");
  assert.equal(alone.state.problem, undefined);
});

test("settings come in the language that was asked for last", async () => {
  const chat = create();
  const started = chat.start();
  chat.setLocale("de");
  await started;
  assert.equal(chat.state.settings?.title, "Demo");
  assert.equal(server.count("GET /v1/widget"), 2);
});
