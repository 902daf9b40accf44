// Points 23 to 26: the widget on other people's pages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { promise, timeout } from "../harness.mjs";
import { app, hostile, nonce, plain, strict } from "./host.mjs";
import { stage } from "./stage.mjs";
import { weight } from "./weight.mjs";

async function* hello() {
  yield "Hello. How can I help you?";
}

/** How many elements, listeners and style sheets of the widget a page has. */
const left = (page) => page.evaluate(() => document.querySelectorAll("answerable-chat, iframe").length + document.adoptedStyleSheets.length);

test("23 One small script, calls before it is there, methods and events, and nothing left behind", { timeout }, async (t) => {
  const { chat, page, between } = await stage(t, {
    answer: hello,
    host: (server) => ({
      body: `<script>
          globalThis.before = Object.keys(globalThis);
          globalThis.told = [];
          globalThis.Answerable = [["on", "open", () => told.push("open")], ["open"], ["setContext", { page: "boots" }]];
          for (const name of ["ready", "close", "sent", "message", "conversation"]) Answerable.push(["on", name, (detail) => told.push(name)]);
        </script>
        ${plain(server).body}`,
    }),
  });
  await chat.input.waitFor(); // the call before it was there
  const bodies = [];
  between.answer = ({ method, path, body }) => void (method === "POST" && path === "/v1/conversations" && bodies.push(JSON.parse(body)));
  await chat.ask("Hello?");
  assert.deepEqual(bodies[0].metadata, { page: "boots" });
  await page.evaluate(() => globalThis.Answerable.close());
  await chat.panel.waitFor({ state: "hidden" });
  for (const name of ["ready", "open", "close", "sent", "message", "conversation"]) assert.ok((await page.evaluate(() => globalThis.told)).includes(name), `${name} was not told`);
  await page.evaluate(() => globalThis.Answerable.toggle());
  await chat.panel.waitFor();
  await page.evaluate(() => globalThis.Answerable.newConversation());
  await chat.customers.first().waitFor({ state: "detached" });
  await page.evaluate(() => globalThis.Answerable.send("From the page."));
  await chat.customers.getByText("From the page.").waitFor();
  await chat.answered(1);
  const names = await page.evaluate(() => Object.keys(globalThis).filter((name) => !globalThis.before.includes(name) && !["before", "told"].includes(name)));
  assert.deepEqual(names, ["Answerable"].filter((name) => names.includes(name)), `globals: ${names}`);
  const title = await page.title();
  await page.evaluate(() => globalThis.Answerable.destroy());
  assert.equal(await left(page), 0);
  assert.equal(await page.title(), title);
  assert.ok((await weight(between, /^\/widget\.js$/)) <= 3 * 1024);
});

test("23 Two on one page, and one in a page that changes without loading", { timeout }, async (t) => {
  const { chat, page, between, shop } = await stage(t, { answer: async function* (question) { yield `You wrote ${question}`; }, host: app });
  await chat.open();
  await chat.ask("Before?");
  await page.getByRole("link", { name: "Two" }).click();
  await chat.shows("You wrote Before?");
  await chat.ask("After?");
  assert.equal(await page.locator("answerable-chat").count(), 1);
  await page.goBack();
  await chat.shows("You wrote After?");

  await page.goto(shop.put("/two", { body: `<div id="one" style="height: 500px"></div>${plain(between.url).body}` }));
  await page.waitForFunction(() => globalThis.Answerable?.create);
  await page.evaluate(() => void (globalThis.inline = globalThis.Answerable.create({ container: "#one" })));
  const inline = page.locator("answerable-chat[data-inline]");
  await inline.getByRole("textbox").waitFor();
  await inline.getByRole("textbox").fill("Inline?");
  await inline.getByRole("textbox").press("Enter");
  await inline.getByRole("log").getByText("You wrote Inline?").waitFor(); // it is announced as well
  assert.equal(await page.locator("answerable-chat").count(), 2);
  await page.evaluate(() => globalThis.inline.destroy());
  await inline.waitFor({ state: "detached" });
  await chat.launcher.waitFor();
});

for (const [name, host] of [["a strict policy with Trusted Types", strict], ["scripts by nonce only", nonce], ["styles that break everything", hostile]]) {
  test(`24 It works on a page with ${name}`, { timeout }, async (t) => {
    const { chat, page, shop, between } = await stage(t, { answer: hello, host });
    await chat.open();
    await chat.ask("Hello?");
    await chat.shows("How can I help you?");
    // Nothing looks other than on a page that leaves it alone.
    const looks = async () => {
      const boxes = [];
      for (const it of [chat.panel, chat.launcher, chat.input, chat.send, page.locator("[part~=header]"), chat.answers.last().locator(".words")]) {
        const { width, height } = await it.boundingBox();
        boxes.push([Math.round(width), Math.round(height)]);
      }
      const words = await chat.answers.last().locator(".words p").evaluate((p) => ["color", "fontSize", "letterSpacing", "textTransform"].map((name) => getComputedStyle(p)[name]));
      return [...boxes, words];
    };
    const box = await chat.panel.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 1280 && box.y >= 0 && box.y + box.height <= 860, "the panel is not all in the window");
    const here = await looks();
    await page.goto(shop.put("/plain", plain(between.url)));
    await chat.open();
    await chat.shows("How can I help you?");
    assert.deepEqual(here, await looks());
  });
}

test("24 In an iframe, by option, the token is out of the page's reach", { timeout }, async (t) => {
  const { chat, page, between } = await stage(t, { answer: hello, attributes: 'data-mode="iframe"' });
  await chat.launcher.click();
  const frame = page.frameLocator("answerable-chat iframe");
  await frame.getByRole("textbox").waitFor();
  await frame.getByRole("textbox").fill("Hello?");
  await frame.getByRole("textbox").press("Enter");
  await frame.locator(".words").getByText("How can I help you?").waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }).includes("token")), false);
  assert.equal(new URL(await page.locator("answerable-chat iframe").getAttribute("src"), page.url()).origin, between.url);
  // A message of somebody else's is not listened to.
  await page.evaluate(() => document.querySelector("answerable-chat").shadowRoot.querySelector("iframe").contentWindow.postMessage({ answerable: 1, type: "close" }, "*"));
  await page.evaluate(() => globalThis.Answerable.close());
  await page.locator("answerable-chat iframe").waitFor({ state: "hidden" });
  await chat.launcher.click();
  await frame.locator(".words").getByText("How can I help you?").waitFor();
  await page.evaluate(() => globalThis.Answerable.destroy());
  assert.equal(await left(page), 0);
});

test("25 Other sites may not use it, no cookie is set, and the token stays where the page wants it", { timeout }, async (t) => {
  const { chat, page, context, server, between } = await stage(t, { answer: hello, attributes: 'data-storage="session"' });
  await chat.open();
  await chat.ask("Hello?");
  assert.deepEqual(await context.cookies(), []);
  for (const { path } of between.requests) assert.doesNotMatch(path, /token|Bearer/i, "a token is in an address");
  const kept = await page.evaluate(() => [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })]);
  assert.doesNotMatch(kept[0], new RegExp(between.conversation));
  assert.match(kept[1], new RegExp(between.conversation));
  await page.evaluate(() => globalThis.Answerable.logout());
  await page.waitForFunction((id) => !JSON.stringify({ ...sessionStorage, ...localStorage }).includes(id), between.conversation);

  const foreign = await fetch(`${server.url}/v1/conversations`, { method: "POST", headers: { Origin: "https://evil.example", "Content-Type": "application/json" }, body: "{}" });
  assert.equal(foreign.status, 403);
});

test("26 Errors of the page and of the widget stay apart, and a switch on the server takes it off", { timeout }, async (t) => {
  const { chat, page, context, between, address } = await stage(t, {
    answer: hello,
    host: (server) => ({
      body: `<script>
          globalThis.Answerable = [["on", "open", () => { throw new Error("of the host page") }], ["on", "nonsense", 7], ["noSuchMethod", 1]];
          Array.prototype.last = function () { return "patched"; };
          Object.prototype.patched = "by an old library";
          JSON.stringify.toJSON = 1;
          globalThis.errors = [];
          addEventListener("error", (e) => { e.preventDefault(); errors.push(e.message); });
        </script>${plain(server).body}`,
    }),
  });
  await chat.open();
  await chat.ask("Hello?");
  await chat.shows("How can I help you?");
  assert.match((await page.evaluate(() => globalThis.errors)).join("\n"), /of the host page/);

  // The server cannot be had: the page does not notice, and the chat says so.
  between.down = true;
  between.cut();
  await page.reload();
  assert.equal(context.wrong.filter((w) => !/Failed to (load|fetch)/.test(w)).length, 0);
  between.down = false;
  context.wrong.length = 0;

  // Switched off: nothing is left of it, once the browser asks again, five minutes later.
  await page.goto("about:blank"); // the page from before asks no more
  await (await context.newCDPSession(page)).send("Network.clearBrowserCache");
  const rewritten = promise();
  between.answer = ({ path }) => {
    if (!path.startsWith("/v1/widget")) return;
    rewritten.resolve();
    return { status: 200, headers: { "Content-Type": "application/json" }, body: { version: 1, enabled: false, assistant: "help", title: "", locale: "en", accent: "#0b6e63", disclosure: { version: "", text: "" }, suggestions: [], images: [], identity: false } };
  };
  await page.goto(address);
  await rewritten;
  await page.waitForFunction(() => !document.querySelector("answerable-chat"));
});
