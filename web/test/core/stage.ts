// What each test of the core begins with: a server, a browser, and chats in its tabs.

import { afterEach, beforeEach } from "node:test";
import { createChat } from "../../src/core/chat.ts";
import type { Env } from "../../src/core/env.ts";
import type { AnswerItem, Chat, CustomerItem, Item, Options } from "../../src/core/types.ts";
import { FakeBrowser, FakeServer, until, type Stored } from "./fake.ts";

export let server: FakeServer;
export let browser: FakeBrowser;
const chats: Chat[] = [];

beforeEach(async () => {
  server = new FakeServer();
  browser = new FakeBrowser();
  await server.start();
});

afterEach(async () => {
  for (const chat of chats.splice(0)) chat.destroy();
  await server.stop();
});

/** A chat in a tab of its own, which has not started. */
export function create(options: Partial<Options> = {}, env: Env = browser.tab()): Chat {
  const chat = createChat({ base: server.base, ...options }, env);
  chats.push(chat);
  return chat;
}

export async function mount(options: Partial<Options> = {}, times: Partial<Env["times"]> = {}): Promise<Chat> {
  const chat = create(options, browser.tab(times));
  await chat.start();
  return chat;
}

export const items = (chat: Chat): Item[] => chat.state.thread.items;
export const answer = (chat: Chat): AnswerItem | undefined => items(chat).findLast((i) => i.type === "answer") as AnswerItem | undefined;
export const customer = (chat: Chat): CustomerItem | undefined => items(chat).findLast((i) => i.type === "customer") as CustomerItem | undefined;

/** Sends a first message, and returns the conversation once it is followed. */
export async function begin(chat: Chat, text = "Hello?"): Promise<Stored> {
  chat.send(text);
  await until("the first message", () => customer(chat)?.seq === 1 && server.streams === 1);
  return server.only;
}

export function say(c: Stored, ...texts: string[]): void {
  for (const text of texts) server.event(c, "text", { turn: "t1", text });
}

export function reply(c: Stored, ...texts: string[]): void {
  server.event(c, "turn.started", { turn: "t1" });
  say(c, ...texts);
  server.event(c, "turn.ended", { turn: "t1", outcome: "answered", text: texts.join("") });
}
