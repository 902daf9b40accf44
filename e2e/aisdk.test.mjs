// The AI SDK's functions for servers, with this server as their model.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, streamText } from "ai";
import { model, promise, serve, timeout } from "./harness.mjs";

const talk = (url, name = "talk") => createOpenAICompatible({ name: "answerable", baseURL: `${url}/v1`, apiKey: "any", includeUsage: true })(name);

test("generateText has the text, the reason for its end and its usage", { timeout }, async (t) => {
  const { url } = await serve(t, await model(t, async function* () {
    yield "Hello. How are you?";
  }));
  const { text, finishReason, usage } = await generateText({ model: talk(url), prompt: "Hello?" });
  assert.equal(text, "Hello. How are you?");
  assert.equal(finishReason, "stop");
  assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
});

test("streamText shows text before the answer has ended, and keeps the history", { timeout }, async (t) => {
  const seen = promise();
  const told = [];
  const { url } = await serve(t, await model(t, async function* (request) {
    told.push(JSON.stringify(request.messages));
    yield "It begins here. And so ";
    await seen;
    yield "it ends.";
  }));
  const messages = [{ role: "user", content: "Hello?" }];
  const first = streamText({ model: talk(url), messages });
  for await (const piece of first.textStream) if (piece.trim()) seen.resolve();
  assert.equal(await first.text, "It begins here. And so it ends.");
  assert.ok((await first.usage).outputTokens > 0);
  messages.push(...(await first.response).messages, { role: "user", content: "Goodbye?" });
  assert.equal(await streamText({ model: talk(url), messages }).text, "It begins here. And so it ends.");
  for (const part of ["Hello?", "It begins here. And so it ends.", "Goodbye?"]) assert.ok(told[1].includes(part), told[1]);
});

test("an error says what to do", { timeout }, async (t) => {
  const { url } = await serve(t);
  await assert.rejects(generateText({ model: talk(url, "gone"), prompt: "Hello?", maxRetries: 0 }), (err) => {
    assert.ok(APICallError.isInstance(err), String(err));
    assert.equal(err.statusCode, 404);
    assert.match(err.message, /gone/);
    return true;
  });
});
