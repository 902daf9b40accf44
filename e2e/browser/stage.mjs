// What most tests begin with: a server behind a proxy, a company's page with the widget on
// it, and a visitor who looks at it.

import { model } from "../harness.mjs";
import { visitor, word, words } from "./browser.mjs";
import { plain, site } from "./host.mjs";
import { proxy } from "./proxy.mjs";
import { serve } from "./server.mjs";

/** What the customer asked in a request to the model. */
export function question(request) {
  const last = request.messages.findLast((m) => m.role === "user").content;
  const text = typeof last === "string" ? last : last.map((part) => part.text ?? "").join("");
  return [...text.matchAll(/<customer[^>]*>\n?([^]*?)\n?<\/customer/g)].at(-1)?.[1].trim() ?? text;
}

/**
 * Sets the stage for the test t. answer(question, n) says what the model says, piece by
 * piece; without it the documents are quoted. host is one of the pages of host.mjs,
 * attributes those of its script tag; visit says what the visitor's browser is like.
 */
export async function stage(t, { answer, models, assistant, documents, config, host = plain, attributes = "", visit = {} } = {}) {
  const between = await proxy(t);
  const shop = await site(t);
  models ??= answer ? [await model(t, (request, n) => answer(question(request), n))] : [];
  const server = await serve(t, { assistant, documents, config, models, origins: [shop.url, between.url] });
  between.to(server.url);
  const address = shop.put("/", host(between.url, attributes));
  const context = await visitor(t, { origins: [shop.url, between.url], ...visit });
  const set = {
    between,
    shop,
    server,
    context,
    address,
    /** Opens the company's page in another tab, and returns the chat on it. */
    async tab(url = address) {
      const page = await context.newPage();
      await page.goto(url);
      return new Chat(page, visit.locale?.split("-")[0]);
    },
  };
  set.chat = await set.tab();
  set.page = set.chat.page;
  return set;
}

/** The widget, or the page at /, as a visitor sees it. */
export class Chat {
  constructor(page, locale = "en") {
    this.page = page;
    this.locale = locale;
    const button = (key) => page.getByRole("button", { name: words(key, locale) });
    this.launcher = page.locator(".launcher");
    this.panel = page.getByRole("dialog").first();
    this.log = page.getByRole("log");
    this.scroller = page.locator(".scroller");
    this.input = page.getByRole("textbox", { name: words("thread.your_message", locale) });
    this.send = button("thread.send");
    this.stop = button("thread.stop");
    this.person = button("shell.person");
    this.menu = button("shell.menu");
    this.closer = button("shell.close");
    this.customers = page.locator(".customer");
    this.answers = page.locator(".answer");
    this.agents = page.locator(".agent");
    this.lines = page.locator(".line");
  }

  word(key, values) {
    return word(key, values, this.locale);
  }

  /** The button with this label, whatever stands in its placeholders; in a part of the page. */
  button(key, inside = this.page) {
    return inside.getByRole("button", { name: words(key, this.locale) });
  }

  item(key) {
    return this.page.getByRole("menuitem", { name: words(key, this.locale) }).or(this.page.getByRole("menuitemcheckbox", { name: words(key, this.locale) }));
  }

  async open() {
    await this.launcher.click();
    await this.input.waitFor();
  }

  /** Sends a message. */
  async say(text) {
    await this.input.fill(text);
    await this.input.press("Enter");
  }

  /** Sends a message, and waits for the end of the answer. */
  async ask(text) {
    const before = await this.answers.count();
    await this.say(text);
    await this.answered(before + 1);
  }

  /** Waits until there are so many answers, of which none is running. */
  async answered(count) {
    await this.answers.nth(count - 1).waitFor();
    await this.idle();
  }

  async idle() {
    await this.page.locator(".answer[aria-busy=true], .answer [aria-busy=true]").waitFor({ state: "detached" });
    await this.stop.waitFor({ state: "detached" });
  }

  /** Lets the page's clock, which clock.install() has stopped, run until something is seen. */
  async within(ms, locator) {
    for (let at = 0; !(await locator.isVisible()); at += 250) {
      if (at >= ms) throw new Error(`after ${ms} ms there is no ${locator}`);
      await this.page.clock.runFor(250);
    }
  }

  async shows(text) {
    await this.log.getByText(text).first().waitFor();
  }

  /** Keeps what the last answer reads, whenever it changes: seen() returns all of it. */
  async watch() {
    await this.log.evaluate((log) => {
      const watched = (globalThis.watched = { texts: [], frame: 0, frames: [] });
      const count = () => (watched.frame++, requestAnimationFrame(count));
      count();
      const look = () => {
        const text = [...log.querySelectorAll(".answer")].at(-1)?.querySelector(".words")?.textContent ?? "";
        if (text === watched.texts.at(-1)) return;
        watched.texts.push(text);
        watched.frames.push(watched.frame);
      };
      new MutationObserver(look).observe(log, { subtree: true, childList: true, characterData: true });
    });
  }

  async seen() {
    return this.page.evaluate(() => globalThis.watched);
  }
}
