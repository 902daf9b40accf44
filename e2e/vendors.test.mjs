// The scripted vendors, which the project's own tests rest on, under the clients of the
// real ones.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI, ApiError } from "@google/genai";
import OpenAI from "openai";
import { timeout, vendor } from "./harness.mjs";

const openai = (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", maxRetries: 0 });
const anthropic = (url) => new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0 });
const gemini = (url) => new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: url, retryOptions: { attempts: 1 } } });

const messages = [{ role: "user", content: "Where is my order?" }];
const claude = { model: "m", max_tokens: 100, messages };
const google = { model: "m", contents: "Where is my order?" };

const script = `
think "Which one?"
It has left.
call order {"id": "7", "why": "\\"late\\""}
call parcels
usage 40 8 16
`;
const calls = [["order", { id: "7", why: '"late"' }], ["parcels", {}]];

test("OpenAI: text, calls and usage", { timeout }, async (t) => {
  const client = openai(await vendor(t, script)).chat.completions;
  const streamed = await client.stream({ model: "m", messages, stream_options: { include_usage: true } }).finalChatCompletion();
  for (const { choices, usage } of [streamed, await client.create({ model: "m", messages })]) {
    const [{ message, finish_reason }] = choices;
    assert.equal(message.content, "It has left.");
    assert.deepEqual(message.tool_calls.map((c) => [c.function.name, JSON.parse(c.function.arguments || "{}")]), calls);
    assert.equal(finish_reason, "tool_calls");
    assert.deepEqual([usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens], [40, 8, 16]);
  }
});

test("Anthropic: thoughts, text, calls and usage", { timeout }, async (t) => {
  const client = anthropic(await vendor(t, script)).messages;
  for (const { content, stop_reason, usage } of [await client.stream(claude).finalMessage(), await client.create(claude)]) {
    assert.deepEqual(content.map((b) => b.type), ["thinking", "text", "tool_use", "tool_use"]);
    assert.equal(content[0].thinking, "Which one?");
    assert.equal(content[1].text, "It has left.");
    assert.deepEqual(content.slice(2).map((b) => [b.name, b.input]), calls);
    assert.equal(stop_reason, "tool_use");
    assert.deepEqual([usage.input_tokens + usage.cache_read_input_tokens, usage.output_tokens, usage.cache_read_input_tokens], [40, 8, 16]);
  }
});

test("Gemini: thoughts, text, calls and usage", { timeout }, async (t) => {
  const { models } = gemini(await vendor(t, script));
  const parts = [];
  let last;
  for await (last of await models.generateContentStream(google)) parts.push(...(last.candidates?.[0]?.content?.parts ?? []));
  const whole = await models.generateContent(google);
  for (const [all, { candidates, usageMetadata: usage }] of [[parts, last], [whole.candidates[0].content.parts, whole]]) {
    const join = (thought) => all.filter((p) => p.text && Boolean(p.thought) === thought).map((p) => p.text).join("");
    assert.equal(join(true), "Which one?");
    assert.equal(join(false), "It has left.");
    assert.deepEqual(all.filter((p) => p.functionCall).map((p) => [p.functionCall.name, p.functionCall.args ?? {}]), calls);
    assert.equal(candidates[0].finishReason, "STOP");
    assert.deepEqual([usage.promptTokenCount, usage.cachedContentTokenCount], [40, 16]);
    assert.equal(usage.candidatesTokenCount + (usage.thoughtsTokenCount ?? 0), 8);
  }
});

const refusals = "status 429 retry-after 1500ms \"Slow down\"\n---\nstatus 401\n---\nstatus 529\n---\nstatus 400 long";

test("OpenAI: errors have the client's classes", { timeout }, async (t) => {
  const client = openai(await vendor(t, refusals)).chat.completions;
  const ask = () => client.create({ model: "m", messages, stream: true });
  await assert.rejects(ask(), (err) => err instanceof OpenAI.RateLimitError && err.code === "rate_limit_exceeded" && err.headers.get("retry-after-ms") === "1500");
  await assert.rejects(ask(), OpenAI.AuthenticationError);
  await assert.rejects(ask(), OpenAI.InternalServerError);
  await assert.rejects(ask(), (err) => err instanceof OpenAI.BadRequestError && err.code === "context_length_exceeded");
});

test("Anthropic: errors have the client's classes", { timeout }, async (t) => {
  const client = anthropic(await vendor(t, refusals)).messages;
  const ask = () => client.stream(claude).finalMessage();
  await assert.rejects(ask(), (err) => err instanceof Anthropic.RateLimitError && err.error.error.type === "rate_limit_error" && err.headers.get("retry-after") === "2");
  await assert.rejects(ask(), Anthropic.AuthenticationError);
  await assert.rejects(ask(), (err) => err.status === 529 && err.error.error.type === "overloaded_error");
  await assert.rejects(ask(), Anthropic.BadRequestError);
});

test("Gemini: errors have the client's class", { timeout }, async (t) => {
  const { models } = gemini(await vendor(t, refusals));
  for (const status of [429, 401, 529, 400]) {
    await assert.rejects(models.generateContentStream(google), (err) => err instanceof ApiError && err.status === status);
  }
});

test("an error in mid-stream is raised behind the text", { timeout }, async (t) => {
  const url = await vendor(t, 'It has\nlate-error "overloaded"');
  const shown = { openai: "", anthropic: "", gemini: "" };
  await assert.rejects(async () => {
    for await (const c of await openai(url).chat.completions.create({ model: "m", messages, stream: true })) shown.openai += c.choices[0]?.delta.content ?? "";
  }, OpenAI.APIError);
  await assert.rejects(anthropic(url).messages.stream(claude).on("text", (text) => (shown.anthropic += text)).finalMessage(), Anthropic.APIError);
  await assert.rejects(async () => {
    for await (const c of await gemini(url).models.generateContentStream(google)) shown.gemini += c.text ?? "";
  }, ApiError);
  assert.deepEqual(shown, { openai: "It has", anthropic: "It has", gemini: "It has" });
});

test("refusals and cut answers are told as such", { timeout }, async (t) => {
  const url = await vendor(t, 'refuse "I would rather not."\n---\nIt has\nfinish length');
  const reset = () => fetch(`${url}/reset`, { method: "POST" });
  const ends = [];
  const chat = () => openai(url).chat.completions.stream({ model: "m", messages }).finalChatCompletion();
  assert.equal((await chat()).choices[0].message.refusal, "I would rather not.");
  ends.push((await chat()).choices[0].finish_reason);
  await reset();
  const claudes = () => anthropic(url).messages.stream(claude).finalMessage();
  assert.equal((await claudes()).stop_reason, "refusal");
  ends.push((await claudes()).stop_reason);
  await reset();
  assert.ok((await gemini(url).models.generateContent(google)).promptFeedback.blockReason);
  ends.push((await gemini(url).models.generateContent(google)).candidates[0].finishReason);
  assert.deepEqual(ends, ["length", "max_tokens", "MAX_TOKENS"]);
});
