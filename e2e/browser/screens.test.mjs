// Every screen and state, light and dark, from left to right and from right to left: axe
// finds nothing, and nothing is wider than its place, on a phone and on a desk.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { timeout } from "../harness.mjs";
import { screens, show, theatre } from "./screens.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds, as lines. The host page is not ours: only what we draw is looked at. */
async function violations(page, rules) {
  return page.evaluate(async (rules) => {
    const ours = document.querySelector("answerable-chat") ? { include: [["answerable-chat"]] } : document;
    const { violations } = await globalThis.axe.run(ours, { resultTypes: ["violations"], ...(rules && { runOnly: rules }) });
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.flat().join(" ")} ${n.failureSummary.split("\n").slice(1).join(" ").trim()}`));
  }, rules);
}

/** A page without script has no timers, which axe needs: it looks at a copy of what was sent. */
async function copy(page) {
  const html = (await page.content()).replace(/<script[^]*?<\/script>/g, "");
  const context = await page.context().browser().newContext({ viewport: page.viewportSize(), reducedMotion: "reduce" });
  const same = await context.newPage();
  await same.route(page.url(), (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: html }));
  await same.goto(page.url());
  return same;
}

/** What is wider than the window, or cut off in it. */
const overflow = (page) =>
  page.evaluate(() => {
    const wrong = [];
    const look = (root) => {
      for (const it of root.querySelectorAll("*")) {
        if (it.shadowRoot) look(it.shadowRoot);
        if (!it.matches(".panel, .app, .thread, .scroller, header, .composer, .history, article, .card, .menu, main") || !it.checkVisibility()) continue;
        const { left, right, width } = it.getBoundingClientRect();
        if (width && (left < -1 || right > innerWidth + 1)) wrong.push(`${it.className} reaches from ${Math.round(left)} to ${Math.round(right)}`);
        if (it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).overflowX !== "visible") wrong.push(`${it.className} is ${it.scrollWidth} px wide in ${it.clientWidth} px`);
      }
    };
    look(document);
    if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page scrolls sideways");
    return wrong;
  });

test("every screen and state", { timeout: 4 * timeout }, async (t) => {
  const set = await theatre(t);
  for (const name of Object.keys(screens)) {
    for (const locale of ["en", "ar"]) {
      await t.test(`${name}, ${locale === "ar" ? "from right to left" : "from left to right"}`, async () => {
        const { page, end } = await show(set, name, { locale, viewport: { width: 1440, height: 900 } });
        try {
          const judged = name === "plain" ? await copy(page) : page;
          await judged.evaluate(axe);
          assert.deepEqual(await violations(judged), [], "light");
          await judged.emulateMedia({ colorScheme: "dark" });
          assert.deepEqual(await violations(judged, ["color-contrast"]), [], "dark");
          if (judged !== page) await judged.context().close();
          for (const width of [1440, 390, 320]) {
            await page.setViewportSize({ width, height: 800 });
            assert.deepEqual(await overflow(page), [], `${width} px`);
          }
        } finally {
          await end();
        }
      });
    }
  }
});
