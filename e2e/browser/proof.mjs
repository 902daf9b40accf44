// What the widget costs, in figures of this machine: make proof-widget. It prints them, and
// fails where a promise of docs/testing.md is not kept.

import assert from "node:assert/strict";
import { test } from "node:test";
import { timeout } from "../harness.mjs";
import { stage } from "./stage.mjs";
import { asked, sent } from "./weight.mjs";

const table = `| Size | Chest | Waist |\n| --- | --- | ---: |\n${"| M | 96–103 cm | 80–87 cm |\n".repeat(12)}`;
const code = `\`\`\`js\n${"const size = (chest) => sizes.find(({ from, to }) => from <= chest && chest <= to);\n".repeat(10)}\`\`\``;
const prose = "Gull rain jackets are cut **wide**, so that a jumper fits *underneath*; `Skerry` jumpers fit [closely](https://shop.example/fit). ".repeat(3);
/** About 1,500 tokens, as four characters each. */
const long = `${[prose, table, prose, prose, code, `- ${prose}\n- ${prose}`, prose, table, `> ${prose}`, prose, prose, table, prose].join("\n\n")}\n`;

const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];
const ms = (n) => `${n.toFixed(1)} ms`;

test("weight", { timeout }, async (t) => {
  const { between, page, chat } = await stage(t, { answer: async function* () {} });
  await chat.open();
  await page.goto(`${between.url}/`);
  await page.waitForLoadState("networkidle");
  for (const path of asked(between, /^\/(widget\.js$|assets\/)/)) {
    const [br, gz] = await Promise.all(["br", "gzip"].map((coding) => sent(between.url + path, coding)));
    t.diagnostic(`${path}: ${(br / 1024).toFixed(2)} KB brotli, ${(gz / 1024).toFixed(2)} KB gzip`);
  }
});

test("from the click to the panel", { timeout }, async (t) => {
  const { page, chat, address } = await stage(t, { answer: async function* () {} });
  const once = async () => {
    await page.goto(address);
    await chat.launcher.waitFor();
    return page.evaluate(
      () =>
        new Promise((done) => {
          const root = document.querySelector("answerable-chat").shadowRoot;
          const from = performance.now();
          const look = () => (root.querySelector("textarea")?.checkVisibility() ? requestAnimationFrame(() => done(performance.now() - from)) : requestAnimationFrame(look));
          root.querySelector("button").click();
          look();
        }),
    );
  };
  const cold = await once();
  const warm = [];
  for (let i = 0; i < 15; i++) warm.push(await once());
  t.diagnostic(`the first time: ${ms(cold)}; with a warm cache, the widget not loaded: median ${ms(median(warm))}, worst ${ms(Math.max(...warm))}`);
  assert.ok(median(warm) < 100);
});

test("a streamed answer of 1,500 tokens with tables and code", { timeout: 2 * timeout }, async (t) => {
  const { page, chat } = await stage(t, {
    async *answer() {
      for (const token of long.match(/[^]{1,4}/g)) {
        yield token;
        await new Promise((r) => setTimeout(r, 5)); // the pace of a fast model
      }
    },
  });
  await chat.open();
  await chat.ask("First?"); // so that the code is warm
  await page.evaluate(() => {
    globalThis.slow = [];
    new PerformanceObserver((list) => globalThis.slow.push(...list.getEntries().map((e) => e.duration))).observe({ type: "longtask" });
    globalThis.frames = [];
    new PerformanceObserver((list) => globalThis.frames.push(...list.getEntries().map((e) => e.duration))).observe({ type: "long-animation-frame" });
  });
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["devtools.timeline", "toplevel"] });
  const from = performance.now();
  await chat.ask("Again?");
  const took = performance.now() - from;
  const { traceEvents } = JSON.parse(String(await browser.stopTracing()));
  const main = traceEvents.find((e) => e.name === "thread_name" && e.args.name === "CrRendererMain" && traceEvents.some((o) => o.tid === e.tid && o.pid === e.pid && o.name === "EventDispatch"));
  const sum = (names) => traceEvents.filter((e) => e.ph === "X" && e.pid === main.pid && e.tid === main.tid && names.includes(e.name)).reduce((n, e) => n + e.dur / 1000, 0);
  const tasks = traceEvents.filter((e) => e.ph === "X" && e.pid === main.pid && e.tid === main.tid && /RunTask$/.test(e.name)).map((e) => e.dur / 1000);
  const { slow, frames } = await page.evaluate(() => ({ slow: globalThis.slow, frames: globalThis.frames }));
  t.diagnostic(`${Math.round(long.length / 4)} tokens in ${ms(took)}`);
  t.diagnostic(`main thread: ${ms(tasks.reduce((a, b) => a + b, 0))} in ${tasks.length} tasks, the longest ${ms(Math.max(...tasks))}`);
  t.diagnostic(`scripts ${ms(sum(["FunctionCall", "EvaluateScript", "RunMicrotasks", "FireAnimationFrame"]))}, styles ${ms(sum(["UpdateLayoutTree"]))}, layout ${ms(sum(["Layout"]))}, paint ${ms(sum(["Paint", "PrePaint"]))}`);
  t.diagnostic(`tasks over 50 ms: ${slow.length}; frames over 50 ms: ${frames.length}${frames.length ? ` (${frames.map(ms)})` : ""}`);
  assert.deepEqual([slow, frames], [[], []]);
});

test("memory after 200 answers", { timeout: 6 * timeout }, async (t) => {
  const { page, chat } = await stage(t, {
    async *answer(question) {
      yield `${question}\n\n${long.slice(0, 2_000)}`;
    },
  });
  const devtools = await page.context().newCDPSession(page);
  const heap = async () => {
    // What was drawn last is let go with the next frames, and collected in turn.
    for (let i = 0; i < 10; i++) {
      await page.evaluate(() => new Promise((drawn) => setTimeout(() => requestAnimationFrame(drawn), 50)));
      await devtools.send("HeapProfiler.collectGarbage");
    }
    const { usedSize } = await devtools.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await devtools.send("Memory.getDOMCounters");
    return { kb: usedSize / 1024, nodes, jsEventListeners };
  };
  await chat.open();
  const say = (what, h) => t.diagnostic(`${what}: ${Math.round(h.kb)} KB, ${h.nodes} nodes, ${h.jsEventListeners} listeners`);
  // Four conversations of 50 answers. What one holds is its text and its nodes; it is given
  // back with the next one.
  const rounds = [];
  for (let round = 1; round <= 4; round++) {
    for (let i = 1; i <= 50; i++) {
      // Not typed: what one types, a browser keeps to undo it.
      await page.evaluate((i) => globalThis.Answerable.send(`Question ${i}?`), i);
      await chat.answered(i);
    }
    say(`with 50 answers of 2,000 characters, conversation ${round}`, await heap());
    await page.evaluate(() => globalThis.Answerable.newConversation());
    await chat.customers.first().waitFor({ state: "detached" });
    rounds.push(await heap());
    say(`after ${round * 50} answers, in a new conversation`, rounds.at(-1));
  }
  const [first, last] = [rounds[0], rounds.at(-1)];
  assert.ok(last.kb < first.kb * 1.1 + 200, "memory is not given back");
  assert.ok(last.jsEventListeners <= first.jsEventListeners, "listeners stay");
});
