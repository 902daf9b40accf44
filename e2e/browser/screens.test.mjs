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
async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document.querySelector("answerable-chat") ? { include: [["answerable-chat"]] } : document, { resultTypes: ["violations"] });
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.flat().join(" ")} ${n.failureSummary.split("\n").slice(1).join(" ").trim()}`));
  });
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
          for (const colorScheme of ["light", "dark"]) {
            await page.emulateMedia({ colorScheme });
            assert.deepEqual(await violations(page), [], colorScheme);
          }
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
