// Every screen and state of the widget, the page and what the server draws: how a visitor
// gets there. axe looks at each, and make screenshots takes a picture of each.

import { readFileSync, readdirSync } from "node:fs";
import { model, promise } from "../harness.mjs";
import { Chat, question } from "./stage.mjs";
import { visitor } from "./browser.mjs";
import { site } from "./host.mjs";
import { proxy } from "./proxy.mjs";
import { serve } from "./server.mjs";

/** What is said, in a language that is written from left to right and in one that is not. */
const talk = {
  en: {
    ask: "What does it cost to send a jacket back?",
    answer:
      "| Where you send it from | Cost |\n|---|---|\n| Ireland | free |\n| Rest of the EU | €5.90, taken off the refund |\n| United Kingdom and Switzerland | you pay the carrier yourself |\n\n" +
      "We refund you **within five working days** of the parcel reaching our warehouse. [1] The money goes back to the payment method that you used. [1]",
    more: "How do I wash a Gull jacket?",
    care:
      "1. Close all zips and turn the jacket inside out. [1]\n2. Wash it at 40 °C with a liquid detergent, and rinse it twice. [1]\n3. Tumble dry it at low heat for 20 minutes, which renews the protection. [1]",
    late: "My parcel TW-204518 has not arrived.",
    sorry: "I am sorry to hear that. If the parcel has not arrived three working days after the latest delivery date, tell us your order number. [1] ",
    rest: "We then start a search with the carrier, which takes up to five working days. [1]",
    agent: "Hello, this is Mia. I have your order here, and I am asking the carrier now.",
    reply: "Thank you! Here is a photo of the box.",
    news: "The carrier has found it: it arrives tomorrow.",
    suggestions: ["What does a return cost?", "How long does delivery take?", "How do I wash a jumper?"],
    notices: ["Deliveries to Ireland are delayed by a day because of the storm.", "Our phone line is closed on Friday afternoon."],
    choices: ["Send it again", "Refund it"],
    form: { title: "Your order", order: "Order number", mail: "E-mail", reason: "Reason", reasons: ["Late", "Damaged"] },
  },
  ar: {
    ask: "كم تكلفة إرجاع سترة؟",
    answer: "يمكنك إرجاع أي شيء خلال ثلاثين يومًا من التسليم. [1] الإرجاع من أيرلندا مجاني. [1]\n\n- يجب أن تكون القطعة غير ملبوسة. [1]\n- نعيد المبلغ خلال خمسة أيام عمل. [1]",
    more: "كيف أغسل سترة Gull؟",
    care: "1. أغلق السحابات واقلب السترة. [1]\n2. اغسلها على 40 درجة. [1]",
    late: "لم يصل طردي TW-204518.",
    sorry: "نأسف لذلك. إذا لم يصل الطرد بعد ثلاثة أيام عمل فأخبرنا برقم الطلب. [1] ",
    rest: "ثم نبدأ البحث مع شركة النقل. [1]",
    agent: "مرحبًا، أنا مريم. طلبك أمامي، وأسأل شركة النقل الآن.",
    reply: "شكرًا! هذه صورة الصندوق.",
    news: "وجدته شركة النقل: يصل غدًا.",
    suggestions: ["كم تكلفة الإرجاع؟", "كم يستغرق التوصيل؟", "كيف أغسل كنزة؟"],
    notices: ["يتأخر التوصيل إلى أيرلندا يومًا واحدًا بسبب العاصفة.", "خط هاتفنا مغلق بعد ظهر يوم الجمعة."],
    choices: ["أرسله مرة أخرى", "أعد المبلغ"],
    form: { title: "طلبك", order: "رقم الطلب", mail: "البريد الإلكتروني", reason: "السبب", reasons: ["متأخر", "تالف"] },
  },
};

const arabic = `# الإرجاع والتوصيل

يمكنك إرجاع أي شيء خلال ثلاثين يومًا من التسليم. الإرجاع من أيرلندا مجاني. يجب أن تكون القطعة غير ملبوسة. نعيد المبلغ خلال خمسة أيام عمل.

# العناية

أغلق السحابات واقلب السترة. اغسلها على 40 درجة.

# طرد متأخر

إذا لم يصل الطرد بعد ثلاثة أيام عمل فأخبرنا برقم الطلب. ثم نبدأ البحث مع شركة النقل.
`;

/** The page that the widget is on in the pictures. */
const front = {
  head: `<style>
    :root { color-scheme: light dark; font: 17px/1.6 system-ui, sans-serif; color: light-dark(#26302d, #d5dcd9); background: light-dark(#fff, #191d1c); }
    body { margin: 0; } header { padding: 20px 6vw; font-weight: 700; letter-spacing: .02em; border-bottom: 1px solid light-dark(#e6eae8, #2c3331); }
    main { max-width: 30rem; padding: 4vw 6vw; } h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 1rem; }
    .sea { height: 150px; margin-block: 1.5rem; border-radius: 12px; background: linear-gradient(light-dark(#dfe9ec, #2b3a40) 45%, light-dark(#8fb3b8, #35555b) 45%, light-dark(#3f7d84, #1f3c41)); }
  </style>`,
  en: ["Tidewhistle", "Made for rain", "Jackets, jumpers and boots from the west coast of Ireland. Repaired for as long as you wear them."],
  ar: ["Tidewhistle", "صُنعت للمطر", "سترات وكنزات وأحذية من الساحل الغربي لأيرلندا. نصلحها ما دمت ترتديها."],
};

const png = readFileSync(new URL("box.png", import.meta.url));

/** Starts what the screens need, once for all of them. */
export async function theatre(t) {
  const demo = new URL("../../assistants/demo/knowledge/", import.meta.url);
  // Those in folders are not needed. Without an address, a source is a page of ours.
  const articles = readdirSync(demo, { withFileTypes: true }).filter((it) => it.isFile());
  const text = (name) => readFileSync(new URL(name, demo), "utf8").replace(/^url: .*\n/m, "");
  const documents = { "arabic.md": arabic, ...Object.fromEntries(articles.map(({ name }) => [name, text(name)])) };
  const gate = { open: promise() };
  t.after(() => gate.open.resolve());
  const says = await model(t, async function* (request) {
    const asked = question(request);
    for (const it of Object.values(talk)) {
      if (asked.includes(it.late)) {
        yield `${it.sorry}${it.rest.slice(0, 3)}`;
        await gate.open;
        return yield it.rest.slice(3);
      }
      if (asked.includes(it.more)) return yield it.care;
      if (asked.includes(it.ask)) return yield it.answer;
    }
    yield "Thank you. ";
  });
  const between = await proxy(t);
  const shop = await site(t);
  const server = await serve(t, {
    documents,
    origins: [shop.url, between.url],
    models: [says],
    assistant: {
      company: "Tidewhistle",
      gate: "sentence",
      widget: {
        privacy: "https://tidewhistle.example/privacy",
        texts: Object.entries(talk).map(([locale, { suggestions }]) => ({ locale, suggestions })),
        files: { types: ["image/png", "text/plain"], bytes: 1_000_000 },
      },
    },
  });
  between.to(server.url);
  return { t, between, shop, server, gate };
}

/**
 * Shows a screen in a window of its own. What it returns has the page, and end(), which
 * closes the window.
 */
export async function show(set, name, { locale = "en", ...visit } = {}) {
  const { between, shop, server } = set;
  set.gate.open.resolve();
  set.gate.open = promise();
  Object.assign(between, { answer: undefined, rewrite: (e) => e, down: false, holds: "no" });
  const after = [];
  const context = await visitor({ name: `${name} ${locale}`, after: (end) => after.push(end) }, { origins: [between.url, shop.url, server.url], locale: locale === "en" ? "en-GB" : locale, ...visit, ...needs[name] });
  const page = await context.newPage();
  const chat = new Chat(page, locale);
  const [company, claim, text] = front[locale];
  const address = shop.put("/", {
    lang: locale,
    head: front.head,
    body: `<div dir="auto"><header>${company}</header><main><h1>${claim}</h1><p>${text}</p><div class="sea"></div></main></div><script async src="${between.url}/widget.js" data-locale="${locale}"></script>`,
  });
  const s = { ...set, page, chat, context, talk: talk[locale], address, id: () => between.conversation };
  await screens[name](s);
  return {
    page,
    chat,
    async end() {
      set.gate.open.resolve();
      for (const end of after) await end();
    },
  };
}

async function visitWidget({ page, address, chat }) {
  await page.goto(address);
  await chat.open();
}

/** Has the server's settings changed on their way. */
async function settings(s, change) {
  const known = await (await fetch(`${s.server.url}/v1/widget?assistant=help&locale=${s.chat.locale}`)).json();
  s.between.answer = ({ path }) => path.startsWith("/v1/widget") && { status: 200, headers: { "Content-Type": "application/json" }, body: { ...known, ...change } };
}

async function withAnswer(s) {
  await visitWidget(s);
  await s.chat.ask(s.talk.ask);
}

async function withAgent(s) {
  await visitWidget(s);
  await s.chat.say(s.talk.late);
  await s.chat.answers.first().waitFor();
  s.gate.open.resolve();
  await s.chat.idle();
  await s.chat.person.first().click();
  await s.chat.lines.first().waitFor();
  await s.server.api("POST", `/api/conversations/${s.id()}/take`, { name: "Mia Byrne" });
  await s.server.api("POST", `/api/conversations/${s.id()}/messages`, { text: s.talk.agent });
  await s.chat.agents.first().waitFor();
}

async function menu(s) {
  await s.chat.menu.click();
  await s.page.getByRole("menu").waitFor();
}

export const screens = {
  async closed(s) {
    await withAgent(s);
    await s.chat.closer.click();
    await s.server.api("POST", `/api/conversations/${s.id()}/messages`, { text: s.talk.news });
    await s.page.locator(".badge:not([hidden])").waitFor();
  },
  async welcome(s) {
    await visitWidget(s);
    await s.page.locator(".suggestion").first().waitFor();
  },
  async consent(s) {
    await settings(s, { consent: { text: s.chat.locale === "ar" ? "نحفظ هذه المحادثة لنتمكن من مساعدتك." : "We keep this conversation so that we can help you. You may have it erased at any time." } });
    await s.page.goto(s.address);
    await s.chat.launcher.click();
    await s.page.locator(".consent").waitFor();
  },
  async notice(s) {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await settings(s, { notices: s.talk.notices.map((text, i) => ({ id: `b${i}`, text, until, ...(i === 0 && { url: "https://tidewhistle.example/storm" }) })) });
    await visitWidget(s);
    await s.page.locator(".notice").nth(1).waitFor();
    await s.page.locator(".suggestion").first().waitFor();
  },
  async waiting(s) {
    await visitWidget(s);
    const held = promise();
    s.t.after(() => held.resolve());
    s.between.answer = async ({ path }) => void (path.endsWith("/messages") && (await held));
    await s.chat.say(s.talk.late);
    await s.page.locator(".dots").first().waitFor();
  },
  async streaming(s) {
    await visitWidget(s);
    await s.chat.say(s.talk.late);
    await s.chat.answers.first().waitFor();
    await s.chat.stop.waitFor();
  },
  answered: withAnswer,
  async citation(s) {
    await withAnswer(s);
    await s.page.locator(".cite").last().click();
    await s.page.locator(".passage").waitFor();
  },
  async feedback(s) {
    await withAnswer(s);
    await s.chat.button("thread.bad_it").click();
    await s.page.getByRole("radio").first().check();
  },
  async stopped(s) {
    await visitWidget(s);
    await s.chat.say(s.talk.late);
    await s.chat.answers.first().waitFor();
    await s.page.waitForFunction((from) => Date.now() > from + 600, Date.now()); // a second press right after the first is no Stop
    await s.chat.stop.click();
    await s.chat.idle();
  },
  async csat(s) {
    await withAnswer(s);
    await menu(s);
    await s.chat.item("shell.end").click();
    await s.chat.button("shell.end_yes").click();
    await s.page.getByRole("radio").nth(3).check();
  },
  async end(s) {
    await withAnswer(s);
    await menu(s);
    await s.chat.item("shell.end").click();
    await s.chat.button("shell.end_yes").waitFor();
  },
  async history(s) {
    await withAnswer(s);
    await s.page.evaluate(() => globalThis.Answerable.newConversation());
    await s.chat.customers.first().waitFor({ state: "detached" });
    await s.chat.ask(s.talk.more);
    await menu(s);
    await s.chat.item("shell.history").click();
    await s.page.locator("button.entry").nth(1).waitFor();
  },
  async menu(s) {
    await withAnswer(s);
    await menu(s);
  },
  async error(s) {
    await visitWidget(s);
    s.between.answer = ({ path }) => path.endsWith("/messages") && { status: 422, body: { type: "/problems/invalid", title: "Unprocessable", status: 422, detail: "The message cannot be taken." } };
    await s.chat.say(s.talk.ask);
    await s.page.locator(".failure").waitFor();
  },
  async reconnecting(s) {
    await withAnswer(s);
    s.between.down = true;
    s.between.cut();
    await s.page.locator(".connection").waitFor();
  },
  async queue(s) {
    await settings(s, { hours: { open: false, changes_at: new Date(Date.now() + 3 * 86_400_000).toISOString() } });
    await visitWidget(s);
    await s.chat.ask(s.talk.ask);
    await s.chat.person.first().click();
    await s.chat.lines.first().waitFor();
    s.between.signal({ kind: "queue", place: 2, expected_wait_ms: 240_000 });
    await s.page.locator(".queue").first().waitFor();
  },
  async agent(s) {
    await withAgent(s);
    await s.chat.say(s.talk.reply);
    await s.chat.customers.nth(1).waitFor();
    await s.server.api("POST", `/api/conversations/${s.id()}/messages`, { text: s.talk.news });
    await s.chat.agents.nth(1).waitFor();
    s.between.signal({ kind: "typing", by: "agent", name: "Mia Byrne", typing: true });
    await s.page.locator(".typing").waitFor();
  },
  async files(s) {
    await withAgent(s);
    const files = s.page.locator("input[type=file]");
    await files.setInputFiles({ name: "box.png", mimeType: "image/png", buffer: png });
    await s.page.locator(".upload.ready").waitFor();
    await s.chat.say(s.talk.reply);
    await s.chat.customers.last().locator("img").waitFor();
    await files.setInputFiles({ name: "label.png", mimeType: "image/png", buffer: png });
    await s.page.locator(".upload.ready").waitFor();
  },
  async choices(s) {
    await visitWidget(s);
    await s.chat.ask(s.talk.more);
    const { form, choices } = s.talk;
    s.between.inject({ kind: "choices", options: choices.map((label) => ({ label })) });
    s.between.inject({
      kind: "form",
      title: form.title,
      fields: {
        type: "object",
        required: ["order", "mail"],
        properties: { order: { type: "string", title: form.order }, mail: { type: "string", format: "email", title: form.mail }, reason: { type: "string", title: form.reason, enum: form.reasons } },
      },
    });
    await s.page.locator(".card .fields").waitFor();
  },
  async page(s) {
    await s.page.goto(`${s.between.url}/`);
    await s.chat.ask(s.talk.ask);
    if (s.page.viewportSize().width >= 900) await s.page.getByRole("heading", { name: s.chat.word("shell.history") }).waitFor();
  },
  async source(s) {
    await withAnswer(s);
    await s.page.locator(".cite").first().click();
    const href = await s.page.locator(".passage a").getAttribute("href");
    await s.page.goto(new URL(href, s.between.url).href);
    await s.page.locator("mark").first().waitFor();
  },
  /** Without JavaScript: the same page, by forms. */
  async plain(s) {
    await s.page.goto(`${s.server.url}/`);
    await s.page.locator("textarea").fill(s.talk.ask);
    await s.page.locator("form button[type=submit]:not([name])").click();
    await s.chat.answers.first().waitFor();
  },
};

/** What a screen needs of the visitor's browser. */
const needs = { plain: { javaScriptEnabled: false } };
