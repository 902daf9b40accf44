// The browser, and what a test sees in it.

import { after } from "node:test";
import { existsSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";

let started; // one browser for all tests of a file

/** Debian's, or the one that CHROMIUM names. */
const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

export async function chromiumBrowser() {
  if (!executablePath) throw new Error("no Chromium: install it (on Debian: apt-get install chromium), or name one in CHROMIUM");
  started ??= chromium.launch({ executablePath, args: ["--no-sandbox", "--enable-precise-memory-info"] });
  return started;
}

after(async () => (await started)?.close());

/** The longest that a test waits for something to be seen. */
export const patience = 20_000;

/**
 * A visitor with nothing stored, for the time of the test t: a context of Playwright. When the
 * test ends, it fails if a script of a page has failed, if a page's policy was violated, or
 * if anybody but the given origins was asked for something. E2E_PICTURES=FOLDER keeps a
 * picture of each page as the test left it.
 */
export async function visitor(t, { origins, ...options } = {}) {
  const context = await (await chromiumBrowser()).newContext({ locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", viewport: { width: 1280, height: 860 }, ...options });
  context.setDefaultTimeout(patience);
  const wrong = [];
  context.on("weberror", (e) => wrong.push(`script failed: ${e.error().stack ?? e.error()}`));
  context.on("console", (m) => {
    // That a request failed is told by what the page shows.
    if (m.type() === "error" && !m.text().startsWith("Failed to load resource")) wrong.push(`console: ${m.text()}`);
  });
  context.on("request", (r) => {
    const { protocol, origin } = new URL(r.url());
    if (origins && /^(http|ws)/.test(protocol) && !origins.includes(origin)) wrong.push(`foreign request: ${r.url()}`);
  });
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error(`policy violated: ${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
    // Scripts that content brings along would call this.
    globalThis.pwned = (what) => console.error(`content ran a script: ${what}`);
  });
  t.after(async () => {
    if (process.env.E2E_PICTURES) {
      const name = t.name.replace(/\W+/g, "-").slice(0, 60);
      for (const [i, page] of context.pages().entries()) await page.screenshot({ path: `${process.env.E2E_PICTURES}/${name}-${i}.png` });
    }
    await context.close();
    if (wrong.length) throw new Error(`in the browser:\n${[...new Set(wrong)].join("\n")}`);
  });
  return Object.assign(context, { wrong });
}

const strings = new Map();

const catalogue = (name) => JSON.parse(readFileSync(new URL(`../../web/strings/${name}.json`, import.meta.url)));

/** A text of a catalogue, as the page shows it: word("thread.send", {}, "de"). */
export function word(key, values = {}, locale = "en") {
  if (!strings.has(locale)) strings.set(locale, Object.assign({}, ...[locale, `later/${locale}`].map(catalogue)));
  const found = strings.get(locale)[key] ?? strings.get(locale)[`${key}.${new Intl.PluralRules(locale).select(values.n ?? 0)}`];
  if (found === undefined) throw new Error(`no text ${key} in ${locale}.json`);
  return found.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? `{${name}}`);
}

/** Matches a text of the catalogue, whatever stands in its placeholders. */
export function words(key, locale) {
  const parts = word(key, {}, locale).split(/\{\w+\}/);
  return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[^]*")}$`);
}
