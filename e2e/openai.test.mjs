// OpenAI's client for JavaScript against POST /v1/chat/completions.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { model, outcome, promise, serve, timeout } from "./harness.mjs";

const sdk = (url, apiKey = "any") => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const ask = (content, more) => ({ model: "talk", messages: [{ role: "user", content }], ...more });
const hello = ask("Hello?");

async function* greeting() {
  yield "Hello. ";
  yield "How are you?";
}

test("a stream is read in a loop, with its usage", { timeout }, async (t) => {
  const { url } = await serve(t, await model(t, greeting));
  let text = "", last;
  for await (const chunk of await sdk(url).chat.completions.create({ ...hello, stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? "";
    last = chunk;
  }
  assert.equal(text, "Hello. How are you?");
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.prompt_tokens > 0 && last.usage.completion_tokens > 0);
});

test("stream().finalChatCompletion() and create() give the same answer", { timeout }, async (t) => {
  const { url } = await serve(t, await model(t, greeting));
  const pieces = [];
  const stream = sdk(url).chat.completions.stream(hello).on("content", (piece) => pieces.push(piece));
  const final = await stream.finalChatCompletion();
  const whole = await sdk(url).chat.completions.create(hello);
  for (const answer of [final, whole]) {
    assert.equal(answer.choices[0].message.content, "Hello. How are you?");
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.model, "talk");
  }
  assert.equal(pieces.join(""), "Hello. How are you?");
  assert.equal(whole.answerable.outcome, "answered");
});

test("the history travels", { timeout }, async (t) => {
  const told = [];
  const { url } = await serve(t, await model(t, async function* (request) {
    told.push(JSON.stringify(request.messages));
    yield "It is blue.";
  }));
  const messages = [{ role: "user", content: "What colour is the sky?" }];
  const { choices } = await sdk(url).chat.completions.create({ model: "talk", messages });
  messages.push(choices[0].message, { role: "user", content: "And the sea?" });
  await sdk(url).chat.completions.create({ model: "talk", messages });
  for (const part of ["colour is the sky", "It is blue", "And the sea"]) {
    assert.ok(told[1].includes(part), `the model was not told ${part}: ${told[1]}`);
  }
});

test("errors have the classes of the client", { timeout }, async (t) => {
  const { url, command } = await serve(t, await model(t, greeting));
  const tools = [{ type: "function", function: { name: "order" } }];
  for (const [params, kind, fields] of [
    [ask("Hello?", { model: "gone" }), OpenAI.NotFoundError, { status: 404, code: "model_not_found", param: "model" }],
    [ask("Hello?", { tools }), OpenAI.BadRequestError, { status: 400, param: "tools" }],
    [ask("Hello?", { n: 2 }), OpenAI.BadRequestError, { status: 400, param: "n" }],
    [ask(""), OpenAI.BadRequestError, { status: 400 }],
  ]) {
    for (const stream of [false, true]) {
      await assert.rejects(sdk(url).chat.completions.create({ ...params, stream }), (err) => {
        assert.ok(err instanceof kind, `${err} is no ${kind.name}`);
        for (const [name, want] of Object.entries(fields)) assert.equal(err[name], want);
        assert.equal(err.type, "invalid_request_error");
        assert.ok(err.requestID);
        return true;
      });
    }
  }
  const { key } = JSON.parse(await command("keys", "create", "e2e", "--json"));
  await assert.rejects(sdk(url, "wrong").models.list(), OpenAI.AuthenticationError);
  const names = [];
  for await (const m of sdk(url, key).models.list()) names.push(m.id);
  assert.deepEqual(names, ["shop", "talk"]);
});

test("a visitor who asks too much is told when to come back", { timeout }, async (t) => {
  const { url } = await serve(t); // without a model: it quotes
  const flood = async () => {
    for (let i = 0; i < 150; i++) await sdk(url).chat.completions.create(hello);
  };
  await assert.rejects(flood(), (err) => {
    assert.ok(err instanceof OpenAI.RateLimitError, String(err));
    assert.ok(Number(err.headers.get("retry-after")) > 0);
    return true;
  });
});

test("a client that leaves in mid-stream ends the model's call", { timeout }, async (t) => {
  const left = promise();
  const busy = await model(t, async function* () {
    yield "It begins here. And so ";
    await left;
  });
  t.after(left.resolve);
  const { url } = await serve(t, busy);
  const stream = await sdk(url).chat.completions.create({ ...hello, stream: true });
  let conversation;
  for await (const chunk of stream) {
    conversation ??= chunk.answerable?.conversation;
    if (chunk.choices[0].delta.content) break; // aborts
  }
  await busy.left;
  assert.equal(await outcome(url, conversation), "stopped");
});

test("when a model dies in the middle, the next goes on without repeating a word", { timeout }, async (t) => {
  const seen = promise();
  const dying = await model(t, async function* () {
    yield "Boots come back within thirty days. The label";
    await seen;
    throw new Error("cut");
  });
  const healthy = await model(t, async function* () {
    yield "Boots come back within thirty days. The label lies in the box.";
  });
  const { url } = await serve(t, dying, healthy);
  let text = "";
  for await (const chunk of await sdk(url).chat.completions.create({ ...hello, stream: true })) {
    text += chunk.choices[0].delta.content ?? "";
    if (text.includes("thirty")) seen.resolve();
  }
  assert.equal(text, "Boots come back within thirty days. The label lies in the box.");
});
