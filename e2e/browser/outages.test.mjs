// What happens between the customer and the server: it dies, proxies hold back, networks go.

import assert from "node:assert/strict";
import { test } from "node:test";
import { promise, timeout } from "../harness.mjs";
import { stage } from "./stage.mjs";

const text = Array.from({ length: 40 }, (_, n) => `Word${n + 1} of forty.`);

test("the server is killed in mid-answer: after its restart every word is there once, and no word went back", { timeout }, async (t) => {
  const half = promise();
  t.after(() => half.resolve());
  const { chat, server } = await stage(t, {
    async *answer(question, n) {
      for (const [i, sentence] of text.entries()) {
        if (n === 1 && i === 20) await half; // it dies here
        yield `${sentence} `;
      }
    },
  });
  await chat.open();
  await chat.watch();
  await chat.say("All forty?");
  await chat.shows("Word19 of forty.");
  await server.kill();
  await chat.page.locator(".connection").waitFor(); // after 3 s
  await chat.shows("Word19 of forty.");
  await server.start();
  half.resolve();
  await chat.shows("Word40 of forty.");
  await chat.idle();
  const final = await chat.answers.last().innerText();
  for (const sentence of text) assert.equal(final.split(sentence).length - 1, 1, `"${sentence}" is there ${final.split(sentence).length - 1} times`);
  const { texts } = await chat.seen();
  for (let i = 1; i < texts.length; i++) {
    // Text grows; or it was taken back as a whole, for an answer that begins anew.
    const [was, is] = [texts[i - 1], texts[i]];
    assert.ok(is.startsWith(was) || text[0].startsWith(is.trim()) || is.startsWith(text[0].slice(0, is.length)), `"${was.slice(-40)}" became "${is.slice(-40)}"`);
    for (const sentence of text) assert.ok(is.split(sentence).length <= 2, `"${sentence}" was seen twice at once`);
  }
  await chat.page.locator(".connection").waitFor({ state: "detached" });
});

for (const holds of ["all", "body"]) {
  test(`a proxy that holds back ${holds === "all" ? "whole answers" : "what follows the headers"}: the widget asks again and again instead`, { timeout }, async (t) => {
    const set = await stage(t, {
      async *answer() {
        yield "It comes through. All the same.";
      },
    });
    const { chat, page, between } = set;
    between.holds = holds;
    await page.clock.install();
    await page.reload();
    await chat.open();
    await chat.say("Anybody?");
    await page.waitForFunction(() => true);
    const polls = () => between.requests.filter((r) => /\/events\?.*wait=/.test(r.path)).length;
    while (polls() === 0) await page.clock.runFor(500);
    await page.clock.resume();
    await chat.shows("It comes through. All the same.");
    await chat.idle();
    assert.equal(await page.locator(".connection").count(), 0, "a working conversation says that it reconnects");
    assert.ok(!between.requests.some((r) => /[?&](token|access)/.test(r.path)));
  });
}

test("offline and back: what was written waits, goes out once and in order, and short cuts are nobody's business", { timeout }, async (t) => {
  const heard = [];
  const { chat, page, context, between } = await stage(t, {
    async *answer(question) {
      heard.push(question);
      yield `You wrote ${question}`;
    },
  });
  await chat.open();
  await chat.ask("Zero?");
  // A short cut.
  await chat.log.evaluate((log) => {
    globalThis.banners = 0;
    new MutationObserver(() => (globalThis.banners += log.getRootNode().querySelectorAll(".connection").length)).observe(log.getRootNode(), { subtree: true, childList: true });
  });
  between.cut();
  await chat.ask("One?");
  assert.equal(await page.evaluate(() => globalThis.banners), 0);

  await context.setOffline(true);
  between.down = true;
  between.cut();
  await chat.say("Two?");
  await chat.say("Three?");
  await page.locator(".connection").waitFor();
  assert.equal(await chat.customers.count(), 4);
  assert.deepEqual(heard.filter((q) => /Two|Three/.test(q)), []);
  // A reload loses nothing either: the page comes from the browser's memory of the shop.
  await context.setOffline(false);
  await page.reload();
  await chat.launcher.waitFor();
  between.down = false;
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await chat.open();
  await chat.shows("Three?");
  await page.waitForFunction(() => true);
  await chat.log.getByText(/You wrote.*Three\?/s).first().waitFor();
  await chat.idle();
  const words = await chat.customers.evaluateAll((all) => all.map((c) => c.querySelector(".bubble").textContent.trim()));
  assert.deepEqual(words, ["Zero?", "One?", "Two?", "Three?"]);
});

test("two tabs: what is said, rated and begun in one shows in the other", { timeout }, async (t) => {
  const set = await stage(t, {
    async *answer(question) {
      yield `You wrote ${question}`;
    },
  });
  const { chat } = set;
  const other = await set.tab();
  await chat.open();
  await other.open();
  await chat.ask("Left?");
  await other.shows("You wrote Left?");
  await other.ask("Right?");
  await chat.shows("You wrote Right?");
  await chat.button("thread.good_it", chat.answers.first()).click();
  await other.answers.first().locator("[aria-pressed=true]").waitFor();
  await chat.menu.click();
  await chat.item("shell.fresh").click();
  await chat.customers.first().waitFor({ state: "detached" });
  await other.customers.first().waitFor({ state: "detached" });
  await chat.ask("New?");
  await other.shows("You wrote New?");
  await other.page.evaluate(() => globalThis.Answerable.logout());
  await chat.customers.first().waitFor({ state: "detached" });
  assert.equal(await other.customers.count(), 0);
});
