// What the company tells everybody for a time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { timeout } from "../harness.mjs";
import { visitor } from "./browser.mjs";
import { Chat, stage } from "./stage.mjs";

const documents = { "delivery.md": "# Delivery\n\nStandard delivery takes three working days.\n" };
const inAnHour = (hours = 1) => new Date(Date.now() + hours * 3_600_000).toISOString();

test("A notice stands first, is cited, dismissed for good, and goes by itself; a new one comes by itself", { timeout }, async (t) => {
  const { server, between, shop, address } = await stage(t, { documents });
  const late = "Parcels are late by two days because of snow.";
  await server.api("POST", "/api/notices", { text: late, until: inAnHour(2), url: "https://shop.example/snow" });
  const closed = await server.api("POST", "/api/notices", { text: "The phone line <b>is</b> closed.", until: inAnHour() });
  const context = await visitor(t, { origins: [shop.url, between.url] }); // the stage's has the settings in its cache
  const page = await context.newPage();
  const chat = new Chat(page);
  await page.clock.install();
  await page.goto(address);
  await chat.open();
  const notices = page.locator(".notice");
  await notices.nth(1).waitFor();
  assert.equal(await page.locator(".notices").getAttribute("role"), "status");
  assert.deepEqual(await notices.locator("p").allInnerTexts(), ["The phone line <b>is</b> closed.", `${late} Read more`]);
  assert.equal(await page.locator(".notice a").getAttribute("href"), "https://shop.example/snow");

  await chat.ask("Is my parcel late?");
  const answer = chat.answers.last();
  assert.match(await answer.innerText(), /Parcels are late by two days/);
  await answer.locator(".cite").first().click();
  const card = page.locator(".passage");
  assert.match(await card.innerText(), /Notice[^]*Parcels are late by two days/);
  assert.equal(await card.locator("a").count(), 1, "the notice has an address of its own");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: `${chat.word("thread.dismiss")}: ${late}` }).click();
  await notices.nth(1).waitFor({ state: "detached" });
  await server.api("POST", "/api/notices", { text: "We are back at noon.", until: inAnHour(2) });
  await page.clock.fastForward("01:01");
  await page.getByText("We are back at noon.").waitFor();
  assert.equal(await notices.count(), 2);
  await page.clock.fastForward("01:00:00");
  await page.getByText(closed.text).waitFor({ state: "detached" });
  assert.equal(await notices.count(), 1);

  // On the page at the server, which has a storage of its own, none was dismissed.
  const own = await context.newPage();
  await own.goto(`${between.url}/`);
  await own.getByText("We are back at noon.").waitFor();
  const dismissed = own.getByText(late);
  await own.getByRole("button", { name: `Dismiss: ${late}` }).click();
  await dismissed.waitFor({ state: "detached" });
  await own.reload();
  await own.getByRole("button", { name: "Dismiss: We are back at noon." }).waitFor();
  assert.equal(await dismissed.count(), 0);
});

test("A notice without an address opens its words", { timeout }, async (t) => {
  const { server, page, chat } = await stage(t, { documents }); // which answers from it at once
  await server.api("POST", "/api/notices", { text: "Parcels are late by two days.", until: inAnHour() });
  await chat.open();
  await chat.ask("Is my parcel late?");
  await chat.answers.last().locator(".cite").first().click();
  const card = page.locator(".passage");
  assert.match(await card.innerText(), /Notice[^]*Parcels are late by two days/);
  assert.equal(await card.locator("a").count(), 0);
});
