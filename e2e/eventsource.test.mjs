// EventSource, as browsers have it, against GET /v1/conversations/{id}/events.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { EventSource } from "eventsource";
import { model, promise, serve, timeout } from "./harness.mjs";

const kinds = ["message.accepted", "turn.started", "level", "state", "text", "turn.ended"];

/** Stands before the server; cut() ends the connections that are open. */
async function wire(t, url) {
  const open = new Set();
  const server = createServer((socket) => {
    const upstream = connect(new URL(url).port, "127.0.0.1");
    open.add(socket);
    socket.pipe(upstream).pipe(socket);
    socket.on("close", () => upstream.destroy()).on("error", () => {});
    upstream.on("close", () => socket.destroy()).on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => open.forEach((socket) => socket.destroy());
  t.after(() => {
    cut();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, cut };
}

test("a connection that is cut in the middle of an answer loses nothing and repeats nothing", { timeout }, async (t) => {
  const go = promise();
  t.after(go.resolve);
  const { url } = await serve(t, await model(t, async function* () {
    yield "It begins here. And so ";
    await go;
    yield "it ends.";
  }));
  const post = async (path, body) => {
    const res = await fetch(url + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    return res.json();
  };
  const { id } = await post("/v1/conversations", { assistant: "talk" });

  const { url: wired, cut } = await wire(t, url);
  const resumedAfter = [];
  const events = [];
  const ended = promise();
  const source = new EventSource(`${wired}/v1/conversations/${id}/events`, {
    fetch: (address, init) => {
      resumedAfter.push(init.headers["Last-Event-ID"]);
      return fetch(address, init);
    },
  });
  t.after(() => source.close());
  for (const kind of kinds) {
    source.addEventListener(kind, ({ data, lastEventId }) => {
      const event = JSON.parse(data);
      assert.equal(lastEventId, String(event.seq));
      events.push(event);
      if (kind === "text" && resumedAfter.length === 1) cut();
      if (kind === "turn.ended") ended.resolve(event);
    });
  }
  source.addEventListener("open", () => resumedAfter.length === 2 && go.resolve());
  await post(`/v1/conversations/${id}/messages`, { text: "Hello?" });

  const { text } = await ended;
  source.close();
  let last = 0;
  const texts = [];
  for (const event of events) {
    const first = event.first ?? event.seq; // an event may stand for several, also for some that came before
    assert.ok(event.first ? first <= last + 1 && event.seq > last : first === last + 1, `${first} to ${event.seq} follow ${last}`);
    last = event.seq;
    if (event.kind !== "text") continue;
    while (texts.at(-1)?.seq >= first) texts.pop();
    texts.push(event);
  }
  assert.equal(texts.map((event) => event.text).join(""), text);
  assert.equal(text, "It begins here. And so it ends.");
  assert.equal(resumedAfter.length, 2);
  assert.equal(resumedAfter[0], undefined);
  assert.ok(Number(resumedAfter[1]) > 0, resumedAfter.join());
});
