// Points 17 to 22: everybody can use it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { promise, timeout } from "../harness.mjs";
import { words } from "./browser.mjs";
import { stage } from "./stage.mjs";

const sentences = Array.from({ length: 12 }, (_, n) => `This is sentence number ${n + 1} of the answer.`);

async function* hello() {
  yield "Hello. How can I help you?";
}

/** Keeps what live regions say from now on, with the time: [text, ms]. */
async function listen(chat) {
  await chat.page.locator(".thread, answerable-chat").first().waitFor({ state: "attached" });
  await chat.input.evaluate((input) => {
    const root = input.getRootNode();
    globalThis.heard = { polite: [], urgent: [] };
    for (const [name, selector] of [["polite", "[aria-live=polite]"], ["urgent", "[role=alert]"]]) {
      for (const region of root.querySelectorAll(selector)) {
        new MutationObserver(() => globalThis.heard[name].push([region.textContent, performance.now()])).observe(region, { subtree: true, childList: true, characterData: true });
      }
    }
  });
}

const heard = (chat) => chat.page.evaluate(() => globalThis.heard);

test("17 A streamed answer is announced in whole sentences, each once, at most one update in 2 s, and its end once", { timeout }, async (t) => {
  const { chat, page } = await stage(t, {
    async *answer() {
      for (const sentence of sentences) {
        for (const word of sentence.split(/(?<= )/)) yield word;
        yield " ";
      }
    },
  });
  await page.clock.install();
  await page.reload();
  await chat.open();
  await listen(chat);
  assert.equal(await chat.log.getAttribute("aria-live"), "off");
  await chat.say("Tell me.");
  await chat.shows("sentence number 1 ");
  await chat.idle();
  for (let i = 0; i < 10; i++) await page.clock.runFor(1_000);
  const { polite, urgent } = await heard(chat);
  const said = polite.map(([text]) => text).filter(Boolean);
  const all = said.join(" ");
  for (const sentence of sentences) assert.equal(all.split(sentence).length - 1, 1, `"${sentence}" was announced ${all.split(sentence).length - 1} times`);
  for (const text of said) assert.match(text, /[.!?…]["')\]]?$/, `half a sentence was announced: ${text}`);
  assert.equal(all.split(chat.word("thread.complete")).length - 1, 1);
  assert.match(said.at(-1), new RegExp(`${chat.word("thread.complete")}$`));
  const times = polite.filter(([text]) => text).map(([, at]) => at);
  for (let i = 1; i < times.length; i++) assert.ok(times[i] - times[i - 1] >= 1_900, `two updates within ${Math.round(times[i] - times[i - 1])} ms`);
  assert.deepEqual(urgent, []);
});

test("17 Who wants answers read when they are complete hears each at once, and errors are told at once", { timeout }, async (t) => {
  const go = promise();
  t.after(() => go.resolve());
  const { chat, page, between } = await stage(t, {
    async *answer() {
      yield "The first sentence is here. The second ";
      await go;
      yield "one is, too.";
    },
  });
  await chat.open();
  await chat.menu.click();
  await chat.item("shell.whole").click();
  await page.keyboard.press("Escape");
  await listen(chat);
  await chat.say("Well?");
  await chat.shows("The first sentence is here.");
  const none = (await heard(chat)).polite.filter(([text]) => text.includes("first sentence"));
  assert.deepEqual(none, []);
  go.resolve();
  await chat.idle();
  await page.waitForFunction(() => globalThis.heard.polite.some(([text]) => text.includes("The first sentence is here. The second one is, too.")));
  between.answer = ({ path }) => path.endsWith("/messages") && { status: 422, body: { type: "/problems/invalid", title: "No", status: 422, detail: "The message cannot be taken." } };
  await chat.say("Once more?");
  await page.waitForFunction(() => globalThis.heard.urgent.some(([text]) => text));
});

test("18 Everything by keyboard: open, write, send, stop, act on an answer, menu, close", { timeout }, async (t) => {
  let go = promise();
  t.after(() => go.resolve());
  const { chat, page } = await stage(t, {
    async *answer(question) {
      yield `You wrote: ${JSON.stringify(question)}. `;
      if (question === "Slow?") await go;
      yield "That is all.";
    },
  });
  const active = () =>
    page.evaluate(() => {
      let a = document.activeElement;
      while (a?.shadowRoot?.activeElement) a = a.shadowRoot.activeElement;
      return a && { tag: a.localName, name: a.getAttribute("aria-label") ?? a.textContent.trim(), ring: [null, "::before"].some((part) => getComputedStyle(a, part).outlineStyle !== "none") };
    });
  const tabTo = async (name, key = "Tab") => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press(key);
      const at = await active();
      if (at && name.test(at.name)) return at;
    }
    assert.fail(`${name} cannot be reached by ${key}`);
  };
  await tabTo(words("shell.open"));
  assert.equal(await chat.launcher.getAttribute("aria-expanded"), "false");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => {
    let a = document.activeElement;
    while (a?.shadowRoot?.activeElement) a = a.shadowRoot.activeElement;
    return a?.localName === "textarea";
  });

  // Enter sends, Shift+Enter breaks, an input method's Enter does neither.
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await chat.input.evaluate((input) => {
    for (const init of [{ isComposing: true }, { keyCode: 229 }]) input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, composed: true, cancelable: true, ...init }));
  });
  assert.equal(await chat.input.inputValue(), "one\ntwo");
  await page.keyboard.press("Enter");
  await chat.shows('"one\\ntwo"');
  await chat.answered(1);

  // Each action is labelled with its answer, and has a ring when it is focused.
  const copy = await tabTo(words("thread.copy_it"), "Shift+Tab");
  assert.match(copy.name, /You wrote/);
  assert.ok(copy.ring, "a focused button has no ring");
  const good = await tabTo(words("thread.good_it"));
  assert.match(good.name, /You wrote/);
  await page.keyboard.press("Space");
  await chat.answers.last().locator("[aria-pressed=true]").waitFor();

  await tabTo(words("shell.menu"), "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "hidden" });
  assert.match((await active()).name, words("shell.menu"));

  await chat.input.focus();
  await page.keyboard.type("Slow?");
  await page.keyboard.press("Enter");
  await chat.shows('"Slow?"');
  await page.keyboard.press("ArrowUp");
  assert.equal(await chat.input.inputValue(), "Slow?");
  await page.keyboard.press("Escape");
  assert.equal(await chat.input.inputValue(), "");
  go.resolve();
  await chat.answered(2);

  await page.keyboard.press("Escape");
  await chat.panel.waitFor({ state: "hidden" });
  await page.waitForFunction(() => document.activeElement?.localName === "answerable-chat");
  assert.match((await active()).name, words("shell.open"));
});

test("18 Tab stays inside only where the chat fills the window", { timeout }, async (t) => {
  const { chat, page } = await stage(t, { answer: hello });
  const inside = () => page.evaluate(() => document.activeElement?.localName === "answerable-chat");
  await chat.open();
  let left = false;
  for (let i = 0; i < 30 && !left; i++) {
    await page.keyboard.press("Tab");
    left = !(await inside());
  }
  assert.ok(left, "beside the page, Tab does not leave the panel");
  await page.setViewportSize({ width: 390, height: 800 });
  await page.reload();
  await chat.open();
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press("Tab");
    assert.ok(await inside(), "in the whole window, Tab leaves the panel");
  }
});

test("19 Targets are large enough, motion is reduced on wish, forced colours and 200 % work", { timeout }, async (t) => {
  const { chat, page } = await stage(t, {
    documents: { "delivery.md": "# Delivery\n\nParcels leave our warehouse in Cork within two working days.\n" },
    assistant: { gate: "sentence", widget: { texts: [{ locale: "en", suggestions: ["When do parcels leave?"] }] } },
  });
  await chat.open();
  await chat.ask("When do parcels leave the warehouse in Cork?");
  const small = await chat.panel.evaluate((panel) => {
    const found = [];
    for (const it of panel.querySelectorAll("button, a, input:not([type=file]), textarea, select, summary")) {
      it.scrollIntoView({ block: "center" });
      const { left, top, width, height } = it.getBoundingClientRect();
      if (!it.checkVisibility() || it.closest(".unseen") || !width) continue;
      // Marks and links in text may be smaller, with space around (WCAG 2.2, 2.5.8).
      const least = it.matches(".cite, a, .act, .text-button") ? 24 : 44;
      // What is drawn small may have a larger area that takes the press.
      const reach = least / 2 - 0.5;
      const at = (x, y) => it.contains(panel.getRootNode().elementFromPoint(left + width / 2 + x, top + height / 2 + y));
      const large = (length, x, y) => length >= least - 0.5 || (at(-reach * x, -reach * y) && at(reach * x, reach * y));
      if (!large(width, 1, 0) || !large(height, 0, 1)) found.push(`${it.className} "${it.getAttribute("aria-label") ?? it.textContent}" ${Math.round(width)}x${Math.round(height)}`);
    }
    return found;
  });
  assert.deepEqual(small, []);
  const moves = () => page.evaluate(() => document.getAnimations().filter((a) => a.playState === "running" && (a.effect?.getComputedTiming().duration ?? 0) > 10).length);
  assert.equal(await moves(), 0);
  await page.emulateMedia({ forcedColors: "active" });
  assert.ok(await chat.send.isVisible());
  // 200 % of zoom is half the window.
  await page.emulateMedia({ forcedColors: "none" });
  await page.setViewportSize({ width: 640, height: 430 });
  await chat.input.click();
  await chat.input.fill("Still there?");
  await chat.send.click();
  await chat.answered(2);
  assert.ok(await chat.panel.evaluate((p) => p.scrollWidth <= p.clientWidth), "200 % overflows");
});

test("20 Right to left: the whole is mirrored, each message has its own direction, and words, plurals and dates are the locale's", { timeout }, async (t) => {
  const { chat, page, server, between } = await stage(t, { answer: hello, attributes: 'data-locale="ar"', visit: { locale: "ar" } });
  await chat.launcher.waitFor();
  const launcher = await chat.launcher.boundingBox();
  assert.ok(launcher.x > 640, "the host is left to right: the button stays at its end");
  await chat.open();
  assert.equal(await chat.log.evaluate((log) => getComputedStyle(log).direction), "rtl");
  await chat.ask("مرحبا");
  const box = async (locator) => (await locator.boundingBox()).x;
  assert.equal(await chat.answers.last().locator("[dir=auto]").first().evaluate((p) => getComputedStyle(p).direction), "ltr");
  assert.equal(await chat.customers.last().locator("[dir=auto]").first().evaluate((p) => getComputedStyle(p).direction), "rtl");
  const [bubble, log] = [await chat.customers.last().locator(".bubble").boundingBox(), await chat.log.boundingBox()];
  assert.ok(bubble.x - log.x < log.x + log.width - bubble.x - bubble.width, "the customer's words are not at the end of the line");
  assert.ok((await box(chat.send)) < (await box(chat.input)), "the composer is not mirrored");
  await chat.closer.click();
  await server.api("POST", `/api/conversations/${between.conversation}/take`, { name: "Mia" });
  for (const text of ["a", "b", "c"]) await server.api("POST", `/api/conversations/${between.conversation}/messages`, { text });
  await page.getByRole("button", { name: chat.word("shell.open_unread", { n: 3 }) }).waitFor();
  // The host page may override the language at any time.
  await page.evaluate(() => globalThis.Answerable.setLocale("de"));
  chat.locale = "de";
  await page.getByRole("button", { name: /Chat öffnen/ }).click();
  await page.getByRole("textbox", { name: /Nachricht/ }).waitFor();
});

test("21 Light, dark and the host's own look cross the shadow border", { timeout }, async (t) => {
  const { chat, page } = await stage(t, {
    answer: hello,
    host: (server) => ({
      head: `<style>answerable-chat { --chat-accent: rgb(120, 0, 50); --chat-radius: 3px; --chat-font: serif; } answerable-chat::part(header) { border-bottom: 5px solid rgb(1, 2, 3); }</style>`,
      body: `<script async src="${server}/widget.js"></script>`,
    }),
  });
  await chat.open();
  const ground = () => chat.panel.evaluate((p) => getComputedStyle(p.querySelector(".app") ?? p).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  assert.notEqual(await ground(), light);
  assert.equal(await page.locator("[part~=header]").evaluate((h) => getComputedStyle(h).borderBottomWidth), "5px");
  assert.match(await chat.log.evaluate((l) => getComputedStyle(l).fontFamily), /serif/);
  await page.emulateMedia({ colorScheme: "light" });
  await chat.input.fill("x");
  assert.equal(await chat.send.evaluate((b) => getComputedStyle(b).backgroundColor), "rgb(120, 0, 50)");
});

test("22 On a phone it fills the window, follows the keyboard, has an input that iOS does not zoom, and the back button closes it", { timeout }, async (t) => {
  const { chat, page, address } = await stage(t, { answer: hello, visit: { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true } });
  await chat.launcher.tap();
  await chat.input.waitFor();
  await page.waitForFunction((p) => Math.round(p.getBoundingClientRect().height) >= innerHeight - 1, await chat.panel.elementHandle());
  const box = await chat.panel.boundingBox();
  assert.deepEqual([box.x, box.y, Math.round(box.width)], [0, 0, 390]);
  assert.equal(await chat.panel.getAttribute("aria-modal"), "true");
  assert.ok(parseFloat(await chat.input.evaluate((i) => getComputedStyle(i).fontSize)) >= 16);
  await chat.ask("Hello?");
  // A keyboard makes the visual viewport smaller, not the window.
  await page.evaluate(() => {
    Object.defineProperty(visualViewport, "height", { get: () => 400, configurable: true });
    visualViewport.dispatchEvent(new Event("resize"));
  });
  await page.waitForFunction((p) => p.getBoundingClientRect().height <= 400, await chat.panel.elementHandle());
  await page.goBack();
  await chat.panel.waitFor({ state: "hidden" });
  assert.equal(page.url(), address);
});
