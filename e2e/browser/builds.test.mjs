// Pages and caches keep old builds of the widget. Each folder of builds is one that was
// released: it has to go on working with the server of today, as a whole, and its loader
// with the widget of today.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { timeout } from "../harness.mjs";
import { stage } from "./stage.mjs";

const folder = new URL("builds/", import.meta.url);
const types = { js: "text/javascript", json: "application/json", css: "text/css" };

/** Answers requests for the files of a build from its folder. */
function handOut(build, wanted) {
  return ({ path }) => {
    const name = path.split("?")[0].slice(1);
    if (!wanted.test(name)) return;
    const file = new URL(`${build}/${name}`, folder);
    if (!existsSync(file)) return { status: 404, body: {} };
    return { status: 200, headers: { "Content-Type": types[name.split(".").at(-1)] }, body: readFileSync(file) };
  };
}

for (const { name: build } of readdirSync(folder, { withFileTypes: true }).filter((it) => it.isDirectory())) {
  for (const [what, wanted] of [
    ["whole", /^widget\.js$|^assets\//],
    ["loader", /^widget\.js$/],
  ]) {
    test(`build ${build}: its ${what} works with the server of today`, { timeout }, async (t) => {
      const { chat, page, between } = await stage(t, {
        async *answer(question) {
          yield `You wrote ${question} **Bold.**`;
        },
        host: () => ({}), // the widget comes later, when the build is handed out
      });
      between.answer = handOut(build, wanted);
      await page.evaluate((src) => {
        const script = Object.assign(document.createElement("script"), { src, async: true });
        document.body.append(script);
      }, `${between.url}/widget.js`);
      await chat.open();
      await chat.ask("Hello?");
      await chat.shows("You wrote Hello?");
      await page.reload();
      await page.evaluate((src) => document.body.append(Object.assign(document.createElement("script"), { src })), `${between.url}/widget.js`);
      await chat.open();
      await chat.shows("You wrote Hello?");
      await page.evaluate(() => globalThis.Answerable.close());
      await chat.panel.waitFor({ state: "hidden" });
      const asked = between.requests.filter(({ path }) => path.startsWith("/assets/widget"));
      assert.ok(asked.length > 0);
    });
  }
}
