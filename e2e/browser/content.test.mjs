// Points 8 to 11: what an answer may hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import { promise, timeout } from "../harness.mjs";
import { stage } from "./stage.mjs";

const shop = {
  "delivery.md": "# Delivery\n\nParcels leave our warehouse in Cork within two working days. Parcels to islands take four days longer.\n",
  "returns.md": "# Returns\n\nBoots can be sent back within thirty days of their arrival. We pay for the parcel.\n",
};

const markdown = `# A heading

Text with **bold**, *italic*, \`code\` and a [link](https://shop.example/a).
Write to [us](mailto:help@shop.example) or [call](tel:+353210000000). Not [this](ftp://shop.example) one.

> A quote.

- one
- two
  1. inner

| Size | Price |
| --- | ---: |
| 42 | 120 |

\`\`\`js
const boots = "<b>42</b>";
\`\`\`

![Our boots](https://elsewhere.example/boots.png) <b>raw</b>`;

test("8 Markdown is drawn as nodes, links are safe, code is copied, tables scroll inside, and HTML stays text", { timeout }, async (t) => {
  const { chat, page, context } = await stage(t, {
    async *answer() {
      yield markdown;
    },
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await chat.open();
  await chat.ask("How?");
  const answer = chat.answers.last();
  await answer.getByRole("heading", { name: "A heading" }).waitFor();
  const count = async (selector) => answer.locator(selector).count();
  for (const selector of ["strong", "em", "p code", "blockquote", "ul > li", "ol > li", "pre code", "table"]) assert.ok(await count(selector), `no ${selector}`);
  assert.equal(await count(".words b, .words img"), 0);
  await answer.getByText("<b>raw</b>").waitFor();
  const links = await answer.locator(".words a").evaluateAll((all) => all.map((a) => [a.getAttribute("href"), a.rel, a.target]));
  assert.deepEqual(links.map(([href]) => href), ["https://shop.example/a", "mailto:help@shop.example", "tel:+353210000000"]);
  for (const [href, rel] of links) if (href.startsWith("http")) assert.match(rel, /noopener.*nofollow/);
  const table = answer.locator(".table");
  assert.equal(await table.evaluate((region) => [region.tabIndex, getComputedStyle(region).overflowX].join()), "0,auto");
  await chat.button("thread.copy_code", answer).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'const boots = "<b>42</b>";');
});

test("8 Pictures come from allowed origins only", { timeout }, async (t) => {
  const asked = [];
  const { chat, page, shop: allowed } = await stage(t, {
    assistant: { widget: { images: ["https://cdn.shop.example"] } },
    async *answer() {
      yield "![The boots](https://cdn.shop.example/boots.png) and ![a beacon](https://tracker.example/x.png)";
    },
    visit: { origins: undefined },
  });
  assert.ok(allowed);
  await page.route(/^https:/, (route) => {
    asked.push(route.request().url());
    return route.fulfill({ contentType: "image/svg+xml", body: '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"/>' });
  });
  await chat.open();
  await chat.ask("Pictures?");
  await chat.answers.last().getByRole("img", { name: "The boots" }).waitFor();
  await chat.answers.last().getByText("a beacon").waitFor();
  await chat.answers.last().getByRole("img", { name: "The boots" }).scrollIntoViewIfNeeded();
  await page.waitForFunction((img) => img.complete, await chat.answers.last().getByRole("img", { name: "The boots" }).elementHandle());
  assert.deepEqual(asked, ["https://cdn.shop.example/boots.png"]);
});

test("9 Citations: numbers stay while the answer grows, a card shows the very words, sources are listed, and a mark of nothing is not shown", { timeout }, async (t) => {
  const go = promise();
  t.after(() => go.resolve());
  const { chat, page, between } = await stage(t, {
    documents: shop,
    assistant: { gate: "sentence" },
    async *answer() {
      yield "Parcels leave our warehouse in Cork within two working days. [1]\n\n";
      yield "Boots can be sent back within thirty days of their arrival. [2] We pay ";
      await go;
      yield "for the parcel. [2]";
    },
  });
  await chat.open();
  between.rewrite = (e) => (e.kind === "text" ? { ...e, text: e.text.replace("arrival.[2]", "arrival.[2][9]") } : e);
  await chat.say("How soon do parcels leave the warehouse, and how long can boots be sent back?");
  const marks = chat.answers.last().locator(".cite");
  await chat.shows("thirty days of their arrival");
  await marks.first().waitFor();
  const first = await marks.first().elementHandle();
  go.resolve();
  await chat.idle();
  assert.ok(await first.evaluate((mark) => mark.isConnected), "the mark was drawn again");
  assert.doesNotMatch(await chat.answers.last().innerText(), /\[\d\]|\b9\b/);

  // By pointer, by focus, by key.
  const card = page.locator(".passage").filter({ hasText: "Delivery" });
  await marks.first().hover();
  await card.waitFor();
  await page.mouse.move(0, 0);
  await card.waitFor({ state: "hidden" });
  await marks.first().focus();
  await page.keyboard.press("Enter");
  await card.waitFor();
  assert.match(await card.locator("mark").innerText(), /Parcels leave our warehouse in Cork within two working days/);
  const [x, width] = await card.evaluate((c) => [c.getBoundingClientRect().left, c.getBoundingClientRect().right]);
  assert.ok(x >= 0 && width <= page.viewportSize().width, "the card is cut off");
  const link = card.getByRole("link");
  assert.match(await link.getAttribute("href"), /\/sources\//);
  assert.equal(await link.getAttribute("target"), "_blank");
  await page.keyboard.press("Escape");
  await card.waitFor({ state: "hidden" });
  assert.ok(await marks.first().evaluate((mark) => mark.getRootNode().activeElement === mark), "the focus did not come back");
  assert.ok(await chat.input.isVisible(), "Escape closed more than the card");

  const sources = chat.answers.last().locator(".sources");
  assert.match(await sources.innerText(), /Delivery/);
  assert.match(await sources.innerText(), /Returns/);

  // The link leads to the page of the source, with the very words marked.
  await marks.first().click();
  const [source] = await Promise.all([page.context().waitForEvent("page"), link.click()]);
  assert.match(await source.locator("mark").first().innerText(), /Parcels leave our warehouse in Cork/);
});

test("10 Choices and forms are buttons and fields, answered by an ordinary message, and then history", { timeout }, async (t) => {
  const heard = [];
  const { chat, page, between } = await stage(t, {
    async *answer(question) {
      heard.push(question);
      yield "Thank you. That is all.";
    },
  });
  await chat.open();
  await chat.ask("Hello?");
  between.inject({ kind: "choices", options: [{ label: "A refund", text: "I would like a refund." }, { label: "A new pair" }] });
  await page.getByRole("button", { name: "A refund" }).click();
  await chat.answered(2);
  assert.equal(heard.at(-1), "I would like a refund.");
  assert.ok(await page.getByRole("button", { name: "A new pair" }).isDisabled());

  between.inject({
    kind: "form",
    title: "Your order",
    fields: {
      type: "object",
      required: ["order", "mail"],
      properties: { order: { type: "string", title: "Order number", minLength: 3 }, mail: { type: "string", format: "email", title: "E-mail" }, size: { type: "string", title: "Size", enum: ["41", "42"] } },
    },
  });
  const form = page.getByRole("form", { name: "Your order" });
  await form.getByRole("button").click();
  assert.equal(await form.locator("[aria-invalid=true]").count(), 2);
  assert.equal(heard.length, 2, "a form with errors was sent");
  await form.getByLabel("Order number").fill("A-77");
  await form.getByLabel("E-mail").fill("jo@shop.example");
  await form.getByLabel(/^Size/).selectOption("42");
  await form.getByRole("button").click();
  await chat.answered(3);
  assert.equal(heard.at(-1), "Order number: A-77\nE-mail: jo@shop.example\nSize: 42");
  assert.ok(await form.getByLabel("Order number").isDisabled());
});

const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

test("11 Files are picked, pasted and dropped, checked before they are sent, cancelled, shown small, and had again", { timeout }, async (t) => {
  const hold = promise();
  t.after(() => hold.resolve());
  const { chat, page, between } = await stage(t, {
    assistant: { widget: { files: { types: ["image/png", "text/plain"], bytes: 100_000 } } },
    async *answer() {
      yield "I see. A picture.";
    },
  });
  await chat.open();
  await chat.ask("Hello?");
  const uploads = page.locator(".upload");
  const pick = (file) => page.locator("input[type=file]").setInputFiles(file);

  // What the assistant would not take is not sent.
  const before = between.requests.filter((r) => r.path.endsWith("/files")).length;
  await pick({ name: "a.exe", mimeType: "application/x-msdownload", buffer: Buffer.from("MZ") });
  await page.locator(".wrong").getByText("a.exe").waitFor();
  await pick({ name: "large.png", mimeType: "image/png", buffer: Buffer.concat([png, Buffer.alloc(200_000)]) });
  await page.locator(".wrong").getByText("large.png").waitFor();
  assert.equal(between.requests.filter((r) => r.path.endsWith("/files")).length, before);

  // Cancelled on its way.
  between.answer = async ({ path }) => void (path.endsWith("/files") && (await hold));
  await pick({ name: "slow.png", mimeType: "image/png", buffer: png });
  const slow = uploads.filter({ hasText: "slow.png" });
  await slow.getByRole("progressbar").waitFor();
  await slow.getByRole("button").click();
  await slow.waitFor({ state: "detached" });
  hold.resolve();
  between.answer = undefined;

  // Picked, pasted and dropped.
  await pick({ name: "picked.png", mimeType: "image/png", buffer: png });
  const give = (type) =>
    chat.input.evaluate(
      async (input, [type, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], `${type}.png`, { type: "image/png" }));
        if (type === "paste") input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, composed: true, cancelable: true }));
        else
          for (const step of ["dragenter", "dragover", "drop"]) {
            input.dispatchEvent(new DragEvent(step, { dataTransfer: data, bubbles: true, composed: true, cancelable: true }));
            await new Promise(requestAnimationFrame);
          }
      },
      [type, png.toString("base64")],
    );
  await give("paste");
  await give("drop");
  for (const name of ["picked.png", "paste.png", "drop.png"]) {
    const upload = uploads.filter({ hasText: name });
    await upload.locator("img").waitFor();
    await upload.getByRole("progressbar").waitFor({ state: "detached" });
  }
  await chat.say("Look at these.");
  await chat.answered(2);
  const sent = chat.customers.last();
  for (const name of ["picked.png", "paste.png", "drop.png"]) await sent.getByRole("button", { name }).waitFor();
  assert.equal(await uploads.count(), 0);
  await page.waitForFunction((message) => [...message.querySelectorAll("img")].every((img) => img.complete && img.naturalWidth === 1) && message.querySelector("img"), await sent.elementHandle());
  const [download] = await Promise.all([page.waitForEvent("download"), sent.getByRole("button", { name: "picked.png" }).click()]);
  assert.equal(download.suggestedFilename(), "picked.png");
});
