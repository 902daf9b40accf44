// The proxy of the other tests: what it puts into a log has numbers as the server's have.

import assert from "node:assert/strict";
import { test } from "node:test";
import { model, timeout } from "../harness.mjs";
import { proxy } from "./proxy.mjs";
import { serve } from "./server.mjs";

/** Reads events of a conversation behind a number, until one is of the kind. */
async function events(url, conversation, after, kind) {
  const res = await fetch(`${url}/v1/conversations/${conversation}/events`, { headers: { "Last-Event-ID": String(after) } });
  const found = [];
  let text = "";
  for await (const piece of res.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const frames = text.split("\n\n");
    text = frames.pop();
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data) found.push(JSON.parse(data));
    }
    if (found.some((e) => e.kind === kind)) return found;
  }
}

test("events that are put in are numbered, and stay where they are for who comes again", { timeout }, async (t) => {
  const between = await proxy(t);
  const server = await serve(t, {
    origins: [between.url],
    models: [
      await model(t, async function* () {
        yield "One. Two.";
      }),
    ],
  });
  between.to(server.url);
  const post = async (path, body) => (await fetch(between.url + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();
  const { id } = await post("/v1/conversations", {});
  await post(`/v1/conversations/${id}/messages`, { text: "Hello?" });
  const first = await events(between.url, id, 0, "turn.ended");
  const count = first.length;
  assert.deepEqual(first.map((e) => e.seq), [...first.keys()].map((i) => i + 1));

  between.inject({ kind: "choices", options: [{ label: "Yes" }] });
  between.inject({ kind: "form", fields: {} });
  const { seq } = await post(`/v1/conversations/${id}/messages`, { text: "Again?" });
  assert.equal(seq, count + 3);
  const all = await events(between.url, id, 0, "form");
  assert.deepEqual(all.slice(count, count + 2).map((e) => e.kind), ["choices", "form"]);
  const rest = await events(between.url, id, count + 1, "turn.ended");
  assert.deepEqual(rest.slice(0, 2).map((e) => [e.seq, e.kind]), [[count + 2, "form"], [count + 3, "message.accepted"]]);
  assert.deepEqual(rest.map((e) => e.seq), [...rest.keys()].map((i) => count + 2 + i));
});
