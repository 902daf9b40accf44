// Takes the pictures of docs/screenshots: make screenshots. With a name, of that screen only.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { screens, show, theatre } from "./screens.mjs";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
const only = process.env.SCREEN;

// Each screen in light and dark beside a page, on a phone, and from right to left.
const looks = {
  light: { viewport: { width: 860, height: 720 }, colorScheme: "light" },
  dark: { viewport: { width: 860, height: 720 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 720 }, colorScheme: "light" },
  rtl: { viewport: { width: 390, height: 720 }, colorScheme: "light", locale: "ar" },
};

test("screenshots", async (t) => {
  mkdirSync(folder, { recursive: true });
  const set = await theatre(t);
  for (const name of Object.keys(screens)) {
    if (only && name !== only) continue;
    for (const [look, visit] of Object.entries(looks)) {
      await t.test(`${name}-${look}`, async () => {
        const wide = name === "page" && visit.viewport.width > 480; // with the list beside it
        const { page, end } = await show(set, name, { ...visit, ...(wide && { viewport: { width: 1280, height: 800 } }) });
        await page.screenshot({ path: `${folder}${name}-${look}.png`, animations: "disabled", caret: "hide" });
        await end();
      });
    }
  }
});
