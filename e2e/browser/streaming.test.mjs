// Points 1 to 7 of what a customer may expect: how an answer arrives.

import assert from "node:assert/strict";
import { test } from "node:test";
import { model, promise, timeout } from "../harness.mjs";
import { stage } from "./stage.mjs";

const paragraph = (n) => `Paragraph ${n} has a few words, so that it takes a line or two of the panel, whatever its width is. `;

test("1 Text appears as it arrives: once in a frame, finished blocks are left alone, and raw Markdown never flashes", { timeout }, async (t) => {
  const gates = [promise(), promise()];
  t.after(() => gates.forEach((g) => g.resolve()));
  const pieces = [
    "A first paragraph, which is fin", "ished. It has ", "**bo", "ld", "** words and ", "`co", "de`, and a [li", "nk](https://shop.exam", "ple/a).\n\n", "A second one begins ",
    null,
    "and ends.\n\n## A head", "ing\n\n- one ", "*it", "em*\n- two\n\n", "| A | B |\n", "| --", "- | --- |\n| c1 ", "| c2 |\n\n", "``", "`js\nconst a = ", "1;\n``", "`\n\n", "The **end", "** of ~~it", "~~.",
  ];
  const { chat, page } = await stage(t, {
    async *answer() {
      for (const piece of pieces) {
        if (piece === null) await gates[0];
        else yield piece;
        // The next event leaves the server only when this one was drawn.
        await new Promise((drawn) => setImmediate(drawn));
      }
      await gates[1];
    },
  });
  await chat.open();
  await chat.watch();
  await chat.say("How does it look?");
  await chat.shows("A first paragraph, which is finished.");
  await chat.shows("A second one");
  await chat.answers.last().locator("p").first().evaluate((p) => {
    globalThis.finished = { p, changes: 0 };
    new MutationObserver((all) => (globalThis.finished.changes += all.length)).observe(p, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  gates[0].resolve();
  await chat.answers.last().getByRole("cell", { name: "c2" }).waitFor();
  gates[1].resolve();
  await chat.answered(1);

  const { texts, frames } = await chat.seen();
  assert.ok(texts.length > 3, `the text came in ${texts.length} pieces`);
  assert.equal(new Set(frames).size, frames.length, "the text changed twice in one frame");
  for (const text of texts) assert.doesNotMatch(text, /\*\*|```|``|\]\(|https:|\| ?-|^\||##|`co|~~/m, `raw Markdown was seen: ${text}`);
  const { changes, same } = await page.evaluate(() => ({ changes: globalThis.finished.changes, same: globalThis.finished.p.isConnected }));
  assert.ok(same, "a finished block was drawn again");
  assert.equal(changes, 0, "a finished block was changed");
});

test("2 Scrolling follows the end only while the reader is there; what is new is counted, and nothing jumps", { timeout }, async (t) => {
  let go = promise();
  t.after(() => go.resolve());
  const { chat, server, between } = await stage(t, {
    async *answer(question) {
      if (question !== "Long?") return yield "A short answer. It is over.";
      for (let n = 1; n <= 4; n++) yield `${paragraph(n)}\n\n`;
      await go;
      for (let n = 5; n <= 24; n++) yield `${paragraph(n)}\n\n`;
    },
  });
  await chat.open();
  for (const n of [1, 2, 3, 4]) await chat.ask(`Short ${n}?`);

  // After sending, the message is at the top of the view, and stays there while there is room.
  await chat.say("Long?");
  await chat.shows("Paragraph 3");
  const top = () => chat.customers.last().evaluate((m) => m.getBoundingClientRect().top - m.closest(".scroller").getBoundingClientRect().top);
  const offset = await top();
  assert.ok(offset >= 0 && offset < 80, `the message is ${offset} px below the top of the view`);

  // A reader who has scrolled away is left alone.
  await chat.scroller.evaluate((s) => s.scrollTo(0, 0));
  const before = await chat.scroller.evaluate((s) => s.scrollTop);
  go.resolve();
  await chat.shows("Paragraph 24");
  await chat.idle();
  assert.equal(await chat.scroller.evaluate((s) => s.scrollTop), before);
  await server.api("POST", `/api/conversations/${between.conversation}/take`, { name: "Mia" });
  await server.api("POST", `/api/conversations/${between.conversation}/messages`, { text: "Hello, Mia here." });
  await server.api("POST", `/api/conversations/${between.conversation}/messages`, { text: "How can I help?" });
  const button = chat.button("thread.new");
  await button.getByText(/\d/).waitFor();
  assert.equal(await chat.scroller.evaluate((s) => s.scrollTop), before);
  await button.click();
  await chat.page.waitForFunction((s) => s.scrollHeight - s.clientHeight - s.scrollTop < 64, await chat.scroller.elementHandle());
  await button.waitFor({ state: "hidden" });

  // A reader at the end stays at the end.
  await server.api("POST", `/api/conversations/${between.conversation}/messages`, { text: paragraph(1).repeat(12) + "Last words." });
  await chat.shows("Last words.");
  await chat.page.waitForFunction((s) => s.scrollHeight - s.clientHeight - s.scrollTop < 64, await chat.scroller.elementHandle());
});

test("3 A sign of life within 150 ms, what is happening after 8 s, and the offer of a person after 30 s", { timeout }, async (t) => {
  const go = promise();
  t.after(() => go.resolve());
  const { chat, page, between } = await stage(t, {
    async *answer() {
      await go;
      yield "Here it is.";
    },
  });
  await page.clock.install();
  await page.reload();
  await chat.open();
  // Nothing has come from the server yet: the sign is the widget's own.
  const held = promise();
  t.after(() => held.resolve());
  between.answer = async ({ method }) => void (method === "POST" && (await held));
  await chat.say("Where is my order?");
  const waiting = page.locator(".waiting");
  await chat.within(150, waiting.locator(".dots"));
  let turn;
  const began = promise();
  between.rewrite = (e) => {
    if (e.kind === "turn.started") began.resolve((turn = e.turn));
    return e;
  };
  await waiting.evaluate((sign) => {
    globalThis.gone = 0;
    const log = sign.closest("[role=log]");
    new MutationObserver(() => (globalThis.gone += log.querySelector(".dots") ? 0 : 1)).observe(log, { subtree: true, childList: true });
  });
  held.resolve();
  await began;
  await chat.within(9_000, waiting.getByText(chat.word("thread.working")));
  between.inject({ kind: "tool.started", turn, call: "c1", title: "Looking up your order" });
  await page.clock.resume();
  await waiting.getByText("Looking up your order").waitFor();
  await chat.within(23_000, chat.button("thread.person", waiting));
  assert.equal(await page.evaluate(() => globalThis.gone), 0, "the sign of life went away in between");
  await page.clock.resume();
  go.resolve();
  await chat.shows("Here it is.");
  assert.equal(await page.locator(".dots").count(), 0);
});

test("4 Send is Stop while an answer runs, and what was said before stays and is marked", { timeout }, async (t) => {
  const go = promise();
  t.after(() => go.resolve());
  const { chat, page } = await stage(t, {
    async *answer() {
      yield "It began like this. And then it ";
      await go;
      yield "went on. For ever.";
    },
  });
  await page.clock.install();
  await page.reload();
  await chat.open();
  await chat.say("Tell me all.");
  await chat.shows("It began like this.");
  await page.clock.runFor(600); // a second press right after the first is no Stop
  await page.clock.resume();
  assert.equal(await chat.send.count(), 0);
  await chat.stop.click();
  await chat.idle();
  await chat.shows("It began like this.");
  await chat.answers.last().getByText(chat.word("thread.stopped")).waitFor();
  await chat.send.waitFor();
  assert.doesNotMatch(await chat.answers.last().innerText(), /went on/);
});

test("5 Again: a failed answer is tried again, the last is asked for anew, the last message can be changed, and what was not sent says so", { timeout }, async (t) => {
  let fails = true;
  const { chat, page, between } = await stage(t, {
    async *answer(question, n) {
      yield `Answer ${n} to ${question}`;
    },
  });
  await chat.open();
  between.rewrite = (e) => (e.kind === "turn.ended" && fails ? { ...e, outcome: "failed", text: "" } : e);
  await chat.ask("One?");
  const again = chat.button("thread.try_again", chat.answers.last());
  await again.waitFor();
  fails = false;
  await again.click();
  await chat.shows("Answer 2 to One?");
  await chat.idle();

  // The last answer is asked for anew, and stands in the place of the one before.
  await chat.button("thread.again_it", chat.answers.last()).click();
  await chat.shows("Answer 3 to One?");
  await chat.idle();
  const earlier = chat.log.getByText("Answer 2 to One?");
  assert.equal(await earlier.isVisible(), false);
  await page.getByText(chat.word("thread.earlier")).last().click();
  await earlier.waitFor();

  // Arrow up brings the last message back, to be changed.
  await chat.input.press("ArrowUp");
  assert.equal(await chat.input.inputValue(), "One?");
  await chat.say("Two?");
  await chat.shows("Answer 4 to Two?");
  await chat.idle();

  // A refused message stays, says so, and keeps its client id when it is sent again.
  const sent = [];
  let refuse = true;
  between.answer = ({ method, path, body }) => {
    if (method !== "POST" || !path.endsWith("/messages")) return;
    sent.push(JSON.parse(body));
    if (refuse) return { status: 422, body: { type: "/problems/invalid", title: "Unprocessable", status: 422, detail: "The message cannot be taken." } };
  };
  await chat.say("Three?");
  await chat.log.getByText(chat.word("thread.not_sent")).waitFor();
  refuse = false;
  await chat.button("thread.resend_it").click();
  await chat.shows("Answer 5 to Three?");
  assert.equal(sent.length, 2);
  assert.ok(sent[0].client_id);
  assert.equal(sent[0].client_id, sent[1].client_id);
});

test("6 A reload in the middle of an answer goes on with it, and two tabs show the same", { timeout }, async (t) => {
  const go = promise();
  t.after(() => go.resolve());
  const set = await stage(t, {
    async *answer() {
      yield "The first half is here. And ";
      await go;
      yield "so is the second. It is done.";
    },
  });
  const { chat, page } = set;
  await chat.open();
  await chat.say("Both halves?");
  await chat.shows("The first half is here.");
  await page.reload();
  await chat.open();
  await chat.shows("The first half is here.");
  const other = await set.tab();
  await other.open();
  await other.shows("The first half is here.");
  go.resolve();
  for (const one of [chat, other]) {
    await one.shows("so is the second. It is done.");
    await one.idle();
    assert.equal(await one.customers.count(), 1);
    assert.equal(await one.answers.count(), 1);
  }
  await other.ask("And from the other tab?");
  await chat.shows("And from the other tab?");
  await chat.answered(2);
});

test("7 Another model that takes over in mid-answer replaces what was said, and nothing is glued", { timeout }, async (t) => {
  const shown = promise();
  t.after(() => shown.resolve());
  const breaks = await model(t, async function* () {
    yield "The first model says this. And then it ";
    await shown;
    throw new Error("it breaks");
  });
  const whole = await model(t, async function* () {
    yield "The second model has the whole answer.";
  });
  const { chat } = await stage(t, { models: [breaks, whole] });
  await chat.open();
  await chat.say("Who answers?");
  await chat.shows("The first model says this.");
  shown.resolve();
  await chat.shows("The second model has the whole answer.");
  await chat.idle();
  assert.equal(await chat.answers.count(), 1);
  assert.doesNotMatch(await chat.log.innerText(), /first model/);
});
