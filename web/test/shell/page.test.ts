import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { until, window } from "./dom.ts";
import { en } from "../words.ts";
import { fakeState } from "./fake.ts";

// The page as the server sends it: the skeleton that its template follows.
const skeleton = readFileSync(path.resolve("src/page/skeleton.html"), "utf8").replace(/<!--[^]*?-->/g, "");
document.body.innerHTML = /<body>([^]*)<\/body>/.exec(skeleton)![1]!;

// The page looks for news as long as it is open; the process need not wait for that.
const { setTimeout: wait } = globalThis;
globalThis.setTimeout = ((act: () => void, ms?: number) => {
  const timer = wait(act, ms);
  if ((ms ?? 0) > 30_000) timer.unref();
  return timer;
}) as typeof setTimeout;

const asked: string[] = [];
let settings: (body: unknown) => void;
const answer = new Promise((resolve) => (settings = resolve));
Object.assign(globalThis, {
  BroadcastChannel: class {
    postMessage() {}
    close() {}
  },
  fetch: async (url: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? "GET"} ${url.split("?")[0]}`);
    if (url.includes(".json")) return new Response(JSON.stringify(en));
    if (!url.startsWith("/v1/widget")) return new Response('{"type":"/problems/malformed-request"}', { status: 400 });
    return new Response(JSON.stringify(await answer), { headers: { "Content-Type": "application/json" } });
  },
});

test("script takes over what the server has drawn: nothing is drawn anew, and what was written stays", async () => {
  const kept = ["#app", ".column", ".bar", ".name", ".face", ".tool.named", ".view", ".thread", ".composer", "textarea"];
  const before = kept.map((selector) => document.querySelector(selector));
  const field = document.querySelector("textarea")!;
  field.value = "A first question";
  await import("../../src/page/page.tsx");

  // Sent while the script waits for the settings: it does not leave the page.
  const submit = new window.Event("submit", { bubbles: true, cancelable: true });
  document.querySelector(".composer")!.dispatchEvent(submit as never);
  assert.ok(submit.defaultPrevented);
  assert.equal(field.value, "");
  field.value = "And a draft";
  settings({ ...fakeState().settings, enabled: false }); // which is for widgets: the page stays
  await until("the menu, which needs script", () => document.querySelector(".menu-place") !== null);
  kept.forEach((selector, i) => assert.equal(document.querySelector(selector), before[i], selector));
  await until("the draft", () => document.querySelector("textarea")!.value === "And a draft");
  await until("what was sent", () => document.querySelector(".customer")?.textContent?.includes("A first question") ?? false);
  await until("the server is told", () => asked.includes("POST /v1/conversations"));
});
