// What the widget costs the page that it is on, in counts that are the same on any machine.
// How long things take is measured by make proof-widget.

import assert from "node:assert/strict";
import { test } from "node:test";
import { timeout } from "../harness.mjs";
import { stage } from "./stage.mjs";
import { weight } from "./weight.mjs";

async function* hello() {
  yield "Hello. How can I help you?";
}

test("until somebody comes near the button, a page pays for the loader and the settings only", { timeout }, async (t) => {
  const { chat, page, between } = await stage(t, { answer: hello });
  await chat.launcher.waitFor();
  await page.waitForLoadState("networkidle");
  assert.deepEqual(between.requests.map(({ path }) => path.split("?")[0]).sort(), ["/v1/widget", "/widget.js"]);
  await chat.open();
  await chat.ask("Hello?");
  const loader = await weight(between, /^\/widget\.js$/);
  const widget = await weight(between, /^\/(widget\.js$|assets\/)/);
  assert.ok(loader <= 3 * 1024, `the loader has ${loader} bytes`);
  assert.ok(widget <= 45 * 1024, `the widget has ${widget} bytes in all`);
});

test("the page at / has at most 45 KB of scripts and styles", { timeout }, async (t) => {
  const { page, between } = await stage(t, { answer: hello });
  between.requests.length = 0;
  await page.goto(`${between.url}/`);
  await page.waitForLoadState("networkidle");
  const sum = await weight(between, /^\/assets\//);
  assert.ok(sum > 0 && sum <= 45 * 1024, `the page has ${sum} bytes`);
});

test("nothing of the host page moves: while it loads, while the chat opens and answers, and when it goes", { timeout }, async (t) => {
  const { chat, page, server, between } = await stage(t, { answer: hello });
  await page.addInitScript(() => {
    globalThis.shifts = [];
    // What moves within half a second of the visitor's own act is not counted, as browsers do.
    new PerformanceObserver((list) => {
      for (const { hadRecentInput, value, sources } of list.getEntries()) {
        if (!hadRecentInput) globalThis.shifts.push({ value, nodes: sources.flatMap(({ node }) => node?.nodeName ?? []) });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.reload();
  const size = () => page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight, document.body.getBoundingClientRect().width]);
  await chat.launcher.waitFor();
  const before = await size();
  await chat.open();
  await chat.ask("Hello?");
  const acted = await page.evaluate(() => performance.now());
  await page.waitForFunction((acted) => performance.now() > acted + 600, acted);
  await server.api("POST", `/api/conversations/${between.conversation}/take`, { name: "Mia" });
  await server.api("POST", `/api/conversations/${between.conversation}/messages`, { text: "Hello, I am Mia. ".repeat(30) });
  await chat.agents.first().waitFor();
  await chat.closer.click();
  await chat.panel.waitFor({ state: "hidden" });
  assert.deepEqual(await size(), before);
  await page.evaluate(() => globalThis.Answerable.destroy());
  assert.deepEqual(await size(), before);
  const shifts = await page.evaluate(() => globalThis.shifts);
  assert.deepEqual(shifts.flatMap(({ nodes }) => nodes), []); // what is behind the shadow border has no name
  const score = shifts.reduce((sum, { value }) => sum + value, 0);
  assert.ok(score < 0.001, `the page's score of shifts is ${score}`); // 0.1 counts as good
});

test("a chat that is taken off and put back, again and again, leaves no nodes and no listeners", { timeout }, async (t) => {
  const { chat, page } = await stage(t, { answer: hello });
  const devtools = await page.context().newCDPSession(page);
  const once = async () => {
    await page.waitForFunction(() => globalThis.Answerable?.create);
    await page.evaluate(() => void (globalThis.Answerable.destroy(), globalThis.Answerable.create()));
    await chat.open();
    await chat.ask("Hello?");
    await page.evaluate(() => globalThis.Answerable.logout());
    await chat.customers.first().waitFor({ state: "detached" });
    await page.evaluate(() => globalThis.Answerable.destroy());
  };
  const left = async () => {
    await devtools.send("HeapProfiler.collectGarbage");
    return devtools.send("Memory.getDOMCounters");
  };
  for (let i = 0; i < 2; i++) await once();
  const before = await left();
  for (let i = 0; i < 4; i++) await once();
  let after = await left();
  // What a browser has not collected yet is no leak; it may take more than one request.
  for (let i = 0; i < 50 && after.jsEventListeners > before.jsEventListeners + 5; i++) after = await left();
  assert.ok(after.jsEventListeners <= before.jsEventListeners + 5, `${before.jsEventListeners} listeners became ${after.jsEventListeners}`);
  assert.ok(after.nodes <= before.nodes + 50, `${before.nodes} nodes became ${after.nodes}`);
});
