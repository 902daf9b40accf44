// What is rare is in a second script, which is loaded when the first of it is needed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { timeout } from "../harness.mjs";
import { word } from "./browser.mjs";
import { stage } from "./stage.mjs";

async function* hello() {
  yield "Hello. How can I help you?";
}

const second = /\/assets\/(widget-later|strings-later)-/;

test("the menu brings the second script; where that cannot be had it says so, and trying again helps", { timeout }, async (t) => {
  const { chat, page, between } = await stage(t, { answer: hello });
  await chat.open();
  await chat.ask("Hello?");
  assert.deepEqual(between.requests.filter(({ path }) => second.test(path)), []);

  await page.route(second, (route) => route.abort());
  const more = chat.panel.getByRole("button", { name: word("shell.menu") });
  await more.click();
  await chat.panel.getByText(word("shell.not_loaded")).waitFor();
  await page.unroute(second);
  await chat.panel.getByRole("button", { name: word("shell.try_again") }).click();
  await chat.panel.getByRole("menuitem", { name: word("shell.history") }).click();
  await chat.panel.getByRole("heading", { name: word("shell.history") }).waitFor();
  assert.deepEqual(between.requests.filter(({ path }) => second.test(path)).map(({ path }) => path.replace(/-\w+\.\w+$/, "")).sort(), ["/assets/strings-later-en", "/assets/widget-later"]);
});

test("a second script of another release is not given", { timeout }, async (t) => {
  const { between } = await stage(t, { answer: hello });
  const status = async (path) => (await fetch(between.url + path)).status;
  assert.equal(await status("/assets/widget-00000000.js"), 200);
  assert.equal(await status("/assets/strings-later-en-00000000.json"), 200);
  for (const name of ["widget", "page"]) assert.equal(await status(`/assets/${name}-later-00000000.js`), 404);
});
