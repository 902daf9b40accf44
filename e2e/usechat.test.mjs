// useChat, in a page of React, against POST /v1/ui.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Window } from "happy-dom";
import { model, outcome, promise, serve, timeout, transcript, version } from "./harness.mjs";

// React and useChat see a browser; what they fetch with is Node's own, which is a real
// network client.
const window = new Window({ url: "http://localhost/" });
Object.assign(globalThis, { window, document: window.document });
globalThis.navigator ??= window.navigator; // which Node has from version 21 on
const { createElement, useEffect } = await import("react");
const { createRoot } = await import("react-dom/client");
const { useChat } = await import("@ai-sdk/react");
const { DefaultChatTransport } = await import("ai");

/**
 * Shows a page with one chat, until the test t ends or close() is called. chat is what
 * useChat gave last; statuses are those that it went through.
 */
function show(t, url, id, { transport, body, fetch, ...options } = {}) {
  transport ??= new DefaultChatTransport({ api: `${url}/v1/ui`, body: { assistant: "talk", ...body }, fetch });
  const root = createRoot(document.createElement("div"));
  const page = { chat: undefined, statuses: [], waiting: [], close: () => root.unmount() };
  t.after(page.close);
  function Page() {
    const chat = useChat({ id, transport, ...options });
    useEffect(() => {
      page.chat = chat;
      if (page.statuses.at(-1) !== chat.status) page.statuses.push(chat.status);
      page.waiting = page.waiting.filter((check) => !check());
    });
    return null;
  }
  root.render(createElement(Page));
  /** Waits until the page is as wanted, and returns what useChat gives then. */
  page.until = (wanted) =>
    new Promise((resolve, reject) => {
      const tooLate = () => reject(new Error(`the page stays at ${page.statuses}: ${page.chat?.error ?? ""} ${JSON.stringify(page.chat?.messages)}`));
      const limit = setTimeout(tooLate, timeout / 2);
      const check = () => {
        if (!page.chat || !wanted(page.chat)) return false;
        clearTimeout(limit);
        resolve(page.chat);
        return true;
      };
      if (!check()) page.waiting.push(check);
    });
  return page;
}

const partsOf = (message, type) => message?.parts.filter((p) => p.type === type) ?? [];
const textOf = (message) => partsOf(message, "text").map((p) => p.text).join("|");
const answer = ({ messages }) => (messages.at(-1)?.role === "assistant" ? messages.at(-1) : undefined);
const shows = (text) => (chat) => textOf(answer(chat)).includes(text);
const answered = (n) => (chat) => chat.status === "ready" && chat.messages.length === n && answer(chat);

/** A model whose answer pauses behind its first sentence until go is kept. */
async function pausing(t, go) {
  t.after(go.resolve);
  return model(t, async function* (_, n) {
    yield `Answer ${n} begins here. And so `;
    await go;
    yield "it ends.";
  });
}

test("a chat of two messages", { timeout }, async (t) => {
  const go = promise();
  const { url } = await serve(t, await pausing(t, go));
  const page = show(t, url, "chat");
  const { sendMessage } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  await page.until(shows("begins"));
  assert.deepEqual(page.statuses, ["ready", "submitted", "streaming"]);
  go.resolve();
  let chat = await page.until(answered(2));
  assert.deepEqual(page.statuses, ["ready", "submitted", "streaming", "ready"]);
  assert.equal(textOf(answer(chat)), "Answer 1 begins here. And so it ends.");
  const { conversation, turn, outcome } = answer(chat).metadata;
  assert.equal(outcome, "answered");
  assert.equal(answer(chat).id, turn);

  sendMessage({ text: "And then?" });
  chat = await page.until(answered(4));
  assert.equal(textOf(answer(chat)), "Answer 2 begins here. And so it ends.");
  assert.equal(answer(chat).metadata.conversation, conversation);
  assert.deepEqual(await transcript(url, conversation), [
    ["customer", "Hello?"], ["assistant", "Answer 1 begins here. And so it ends."],
    ["customer", "And then?"], ["assistant", "Answer 2 begins here. And so it ends."],
  ]);
});

test("sources are parts of the message", { timeout }, async (t) => {
  const { url } = await serve(t, await model(t, async function* () {
    yield "Boots can be sent back within thirty days of their arrival. [1]";
  }));
  const page = show(t, url, "chat", { body: { assistant: "shop" } });
  const { sendMessage } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Can boots be sent back?" });
  const message = answer(await page.until(answered(2)));
  assert.equal(textOf(message), "Boots can be sent back within thirty days of their arrival.[1]");
  const [source] = partsOf(message, "source-url");
  assert.equal(source.sourceId, "1");
  assert.ok(source.url.startsWith(`${url}/sources/`), source.url);
  assert.match(source.providerMetadata.answerable.quote, /thirty days/);
  assert.equal((await fetch(source.url)).status, 200);
});

test("stop() ends the reading and not the answer", { timeout }, async (t) => {
  const go = promise();
  const { url } = await serve(t, await pausing(t, go));
  const page = show(t, url, "chat");
  const { sendMessage, stop } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  await page.until(shows("begins"));
  await stop();
  const message = answer(await page.until((chat) => chat.status === "ready"));
  assert.ok(!textOf(message).includes("it ends."), textOf(message));
  go.resolve();
  const { conversation } = message.metadata;
  assert.equal(await outcome(url, conversation), "answered");
  assert.equal((await transcript(url, conversation))[1][1], "Answer 1 begins here. And so it ends.");
});

test("the server's stop ends the answer with what was shown", { timeout }, async (t) => {
  const busy = await pausing(t, promise());
  const { url } = await serve(t, busy);
  const page = show(t, url, "chat");
  const { sendMessage } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  const { conversation } = answer(await page.until(shows("begins"))).metadata;
  assert.equal((await fetch(`${url}/v1/conversations/${conversation}/stop`, { method: "POST" })).status, 202);
  const message = answer(await page.until(answered(2)));
  assert.equal(message.metadata.outcome, "stopped");
  assert.ok(!textOf(message).includes("it ends."), textOf(message));
  await busy.left;
});

test("a page that is loaded again in the middle of an answer shows all of it", { timeout }, async (t) => {
  const go = promise();
  const { url } = await serve(t, await pausing(t, go));
  const before = show(t, url, "chat");
  const { sendMessage } = await before.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  const { messages } = await before.until(shows("begins"));
  before.close();

  const after = show(t, url, "chat", { resume: true, messages: messages.slice(0, 1) });
  await after.until(shows("begins"));
  go.resolve();
  const chat = await after.until(answered(2));
  assert.equal(textOf(answer(chat)), "Answer 1 begins here. And so it ends.");
  assert.equal(answer(chat).id, messages[1].id);
  assert.ok(after.statuses.includes("streaming"), after.statuses.join());
});

test("a page that kept the piece it had shows no word twice", { timeout }, async (t) => {
  const go = promise();
  const { url } = await serve(t, await pausing(t, go));
  const before = show(t, url, "chat");
  const { sendMessage } = await before.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  const { messages } = await before.until(shows("begins"));
  before.close();

  const after = show(t, url, "chat", { resume: true, messages: structuredClone(messages) });
  await after.until((chat) => chat.status === "streaming");
  go.resolve();
  const chat = await after.until(answered(2));
  assert.equal(textOf(answer(chat)), "Answer 1 begins here. And so it ends.");
});

test("where no answer is running, nothing is resumed", { timeout }, async (t) => {
  const { url } = await serve(t, await model(t, async function* () {
    yield "Hello.";
  }));
  let resumed = promise();
  const options = {
    resume: true,
    fetch: async (address, init) => {
      const response = await fetch(address, init);
      if (init?.method !== "POST") resumed.resolve(response.status);
      return response;
    },
  };
  const fresh = show(t, url, "chat", options);
  assert.equal(await resumed, 204);
  const { sendMessage } = await fresh.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  const { messages } = await fresh.until(answered(2));
  fresh.close();

  resumed = promise();
  const again = show(t, url, "chat", { ...options, messages });
  assert.equal(await resumed, 204);
  const chat = await again.until((chat) => chat.status === "ready");
  assert.deepEqual(chat.messages, messages);
  assert.equal(again.chat.error, undefined);
});

/** A model that dies in its second sentence, once the first was seen. */
async function dying(t, seen) {
  t.after(seen.resolve);
  return model(t, async function* () {
    yield "Boots come back within thirty days. The label";
    await seen;
    throw new Error("cut");
  });
}

test("when a model dies in the middle, no word is shown twice", { timeout }, async (t) => {
  const seen = promise();
  const { url } = await serve(t, await dying(t, seen), await model(t, async function* () {
    yield "Boots come back within thirty days. The label lies in the box.";
  }));
  const page = show(t, url, "chat");
  const { sendMessage } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  await page.until(shows("thirty"));
  seen.resolve();
  const chat = await page.until(answered(2));
  assert.equal(textOf(answer(chat)), "Boots come back within thirty days. The label lies in the box.");
  assert.ok(!page.statuses.includes("error"));
});

test("a client that can take text back sees a new answer", { timeout, skip: version("ai")[0] < 7 && "reset-step comes with AI SDK 7" }, async (t) => {
  const seen = promise();
  const { url } = await serve(t, await dying(t, seen), await model(t, async function* () {
    yield "Send them within a month. A label is in the box.";
  }));
  const transport = new DefaultChatTransport({ api: `${url}/v1/ui`, body: { assistant: "talk" }, headers: { "X-Answerable-Reset": "1" } });
  const page = show(t, url, "chat", { transport });
  const { sendMessage } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  await page.until(shows("thirty"));
  seen.resolve();
  const chat = await page.until(answered(2));
  assert.equal(textOf(answer(chat)), "Send them within a month. A label is in the box.");
});

test("regenerate() asks anew", { timeout }, async (t) => {
  const { url } = await serve(t, await model(t, async function* (_, n) {
    yield `Answer ${n}.`;
  }));
  const page = show(t, url, "chat");
  const { sendMessage, regenerate } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  await page.until(answered(2));
  regenerate();
  const chat = await page.until((chat) => chat.status === "ready" && shows("Answer 2.")(chat));
  assert.equal(chat.messages.length, 2);
});

test("an error is shown as a sentence", { timeout }, async (t) => {
  const { url } = await serve(t);
  const page = show(t, url, "chat", { body: { assistant: "gone" } });
  const { sendMessage } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  const { error } = await page.until((chat) => chat.status === "error");
  assert.match(error.message, /gone/);
  assert.doesNotMatch(error.message, /[{}]/);
});

test("a person takes over", { timeout }, async (t) => {
  const { url } = await serve(t, await pausing(t, promise()));
  const page = show(t, url, "chat");
  const { sendMessage } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  const { conversation } = answer(await page.until(shows("begins"))).metadata;
  const taken = await fetch(`${url}/api/conversations/${conversation}/take`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name: "Ada" }),
  });
  assert.equal(taken.status, 200);
  const first = answer(await page.until(answered(2)));
  assert.deepEqual(partsOf(first, "data-owner").map((p) => p.data), [{ owner: "agent", name: "Ada" }]);
  sendMessage({ text: "Hello Ada?" });
  const second = answer(await page.until(answered(4)));
  assert.deepEqual(partsOf(second, "data-owner").map((p) => p.data), [{ owner: "agent", name: "Ada" }]);
  assert.equal(textOf(second), "");
});

test("a visitor of a server with keys, as docs/api.md shows it", { timeout }, async (t) => {
  const { url, command } = await serve(t, await model(t, async function* (_, n) {
    yield `Answer ${n}.`;
  }));
  await command("keys", "create", "e2e");
  let token;
  const sent = [];
  const transport = new DefaultChatTransport({
    api: `${url}/v1/ui`,
    body: { assistant: "talk" },
    headers: () => (token ? { Authorization: `Bearer ${token}` } : {}),
    prepareSendMessagesRequest: ({ id, messages, trigger, messageId, body }) => ({
      body: { ...body, id, trigger, messageId, messages: messages.slice(-1) },
    }),
    fetch: async (address, options) => {
      sent.push(JSON.parse(options.body ?? "null"));
      const response = await fetch(address, options);
      token = response.headers.get("X-Conversation-Token") ?? token;
      return response;
    },
  });
  const page = show(t, url, "chat", { transport });
  const { sendMessage } = await page.until((chat) => chat.status === "ready");
  sendMessage({ text: "Hello?" });
  await page.until(answered(2));
  sendMessage({ text: "And then?" });
  const chat = await page.until(answered(4));
  assert.equal(textOf(answer(chat)), "Answer 2.");
  assert.equal(sent[1].messages.length, 1);
  assert.equal((await transcript(url, answer(chat).metadata.conversation, token)).length, 4);

  const stranger = show(t, url, "chat", { messages: chat.messages });
  const page2 = await stranger.until((chat) => chat.status === "ready");
  page2.sendMessage({ text: "What did I say?" });
  await stranger.until((chat) => chat.status === "error");
});
