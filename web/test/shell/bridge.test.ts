import assert from "node:assert/strict";
import { test } from "node:test";
import "./dom.ts";
import { fakeChat, fakeState } from "./fake.ts";

const { perform, report } = await import("../../src/widget/bridge.ts");

test("what the host page calls is done on the chat", () => {
  const chat = fakeChat();
  perform(chat, "identify", ["a.b.c"]);
  perform(chat, "setContext", [{ page: "boots" }]);
  perform(chat, "setLocale", ["de"]);
  perform(chat, "send", ["Hello"]);
  perform(chat, "newConversation", []);
  perform(chat, "logout", []);
  perform(chat, "somethingOfTomorrow", [1]);
  assert.deepEqual(chat.calls, [["identify", "a.b.c"], ["setContext", { page: "boots" }], ["setLocale", "de"], ["send", "Hello"], ["fresh"], ["logout"]]);
});

test("what has the wrong type is refused by name", () => {
  const chat = fakeChat();
  assert.throws(() => perform(chat, "identify", [undefined]), /Answerable\.identify takes a text/);
  assert.throws(() => perform(chat, "send", [{}]), /Answerable\.send takes a text/);
  for (const wrong of ["text", null, [], undefined]) assert.throws(() => perform(chat, "setContext", [wrong]), /takes an object/);
  assert.deepEqual(chat.calls, []);
});

test("the host page is told what happens, each once", () => {
  const { thread } = fakeState();
  const chat = fakeChat({ thread: { ...thread, id: "c1" } });
  const told: unknown[] = [];
  const end = report(chat, true, (event, detail) => told.push([event, detail]));
  const files: never[] = [];
  chat.event("message.accepted", { type: "customer", key: "1", text: "Hello?", at: "", state: "sent", files });
  chat.event("turn.started", undefined);
  chat.event("turn.ended", { type: "answer", key: "2", turn: "t", text: "Hello.", citations: [], running: false, startedAt: "", level: "full", seq: 4 });
  chat.event("agent.message", { type: "agent", key: "3", name: "Mia", text: "I am here.", at: "", seq: 5, files });
  chat.event("handoff");
  chat.event("closed");
  chat.set({ unread: 2 });
  chat.set({ unread: 2 });
  chat.set({ thread: { ...thread, id: "c2" } });
  chat.set({ problem: { text: "Too many messages." } });
  chat.set({ problem: undefined });
  chat.set({ expired: true });
  chat.set({ unread: 2 });
  end();
  chat.set({ unread: 3 });
  assert.deepEqual(told, [
    ["sent", { conversation: "c1", text: "Hello?" }],
    ["message", { conversation: "c1", from: "assistant", text: "Hello." }],
    ["message", { conversation: "c1", from: "agent", name: "Mia", text: "I am here." }],
    ["handoff", { conversation: "c1" }],
    ["ended", { conversation: "c1" }],
    ["unread", 2],
    ["conversation", { conversation: "c2" }],
    ["error", { message: "Too many messages." }],
    ["identity", { state: "expired" }],
  ]);
});

test("a page around a frame is told that something was said, not what", () => {
  const chat = fakeChat();
  const told: unknown[] = [];
  report(chat, false, (event, detail) => told.push([event, detail]));
  const files: never[] = [];
  chat.event("message.accepted", { type: "customer", key: "1", text: "My secret", at: "", state: "sent", files });
  chat.event("agent.message", { type: "agent", key: "3", name: "Mia", text: "Another one", at: "", seq: 5, files });
  assert.deepEqual(told, [
    ["sent", { conversation: undefined }],
    ["message", { conversation: undefined, from: "agent", name: "Mia" }],
  ]);
});
