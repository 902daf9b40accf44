// Shows the thread in a state of its own, without a server: ?scene=NAME&scheme=dark&dir=rtl.
// scene=stream plays an answer of 1,500 tokens, a chunk every 30 ms.

import { render } from "preact";
import { en } from "../words.ts";
import { translator, type T } from "../../src/core/i18n.ts";
import type { State } from "../../src/core/types.ts";
import { Thread } from "../../src/thread/index.tsx";
import { answer, citation, customer, having, quiet, recorder, settings } from "./scene.ts";

const long = `You can return a kettle within **30 days** of delivery, also when it was used. [1] The refund arrives within 5 working days. [2]

1. Open *Orders* and choose the kettle.
2. Print the label, or show its code in the shop.
3. Hand the parcel in at any post office.

| Country | Price | Days |
| --- | ---: | :---: |
| Germany | 0.00 € | 2 |
| Norway | 14.90 € | 5 to 7 |
| Switzerland | 9.90 € | 3 |

Descale it with one of these before you send it back: [3]

\`\`\`sh
kettle descale --minutes 20 --solution "citric acid, 50 g per litre"
kettle status
\`\`\`

> Keep the box: a parcel without it costs 2 €. [1]`;

const sources = [
  citation(1, { title: "Returns and refunds", quote: "Kettles can be returned within 30 days of delivery, whether they were used or not. Please use the original box." }),
  citation(2, { title: "Payments", quote: "Refunds are paid within five working days of the parcel's arrival.", url: "https://example.com/pay" }),
  citation(3, { title: "Care of your Tidewhistle: descaling, cleaning and storing it for a long time", quote: "Descale with citric acid." }),
];

const asked = customer("How do I return my kettle, and what does it cost from Norway?");
const file = { id: "f1", name: "receipt-2026-11.pdf", type: "application/pdf", bytes: 184_320 };
const picture = { id: "f2", name: "kettle.png", type: "image/png", bytes: 1_284_320 };

const scenes: Record<string, State> = {
  welcome: quiet,
  consent: { ...quiet, settings: { ...settings, consent: { text: "What you write is processed by us and by the provider of the AI model. It is deleted after 90 days." } }, thread: { ...quiet.thread, consentNeeded: true } },
  loading: having({ loading: true }),
  waiting: having({ items: [customer("Where is my order 1042?", { state: "sending", seq: undefined, turn: undefined })] }),
  tool: having({ items: [asked, answer("", { running: true, activity: "Looking up order 1042" })], running: "t1" }),
  running: having({ items: [asked, answer(long.slice(0, 420), { running: true, citations: sources })], running: "t1" }),
  answer: having({ items: [asked, answer(long, { citations: sources, rating: "up" })] }),
  short: having({ items: [customer("How long does the refund take?"), answer("It arrives within 5 working days. [2]", { citations: sources })] }),
  outcomes: having({
    items: [
      customer("One", { key: "1" }), answer("The kettle is", { key: "a1", outcome: "stopped" }),
      customer("Two", { key: "2" }), answer("An older answer.", { key: "a2", replacedBy: "t3" }), answer("Shipping takes", { key: "a3", outcome: "interrupted" }),
      customer("Three", { key: "3" }), answer("", { key: "a4", outcome: "failed" }),
      customer("Four", { key: "4", state: "failed", error: "The message was refused." }),
    ],
    link: "reconnecting",
  }, { problem: { text: "Too many messages at once.", retryAt: Date.now() + 20_000 } }),
  degraded: having({
    items: [
      customer("How do I return a kettle?"),
      { type: "line", key: "l1", at: asked.at, seq: 2, what: "level", level: "extractive" },
      answer("Kettles can be returned within 30 days of delivery, whether they were used or not. [1]", { level: "extractive", citations: sources }),
    ],
    link: "offline",
  }),
  people: having({
    items: [
      customer("I want to talk to somebody", { key: "1", seq: 1 }),
      { type: "line", key: "l1", at: asked.at, seq: 2, what: "asked_for_person" },
      { type: "line", key: "l2", at: asked.at, seq: 3, what: "joined", name: "Mia Larsen" },
      { type: "agent", key: "g1", name: "Mia Larsen", text: "Hello, I am Mia. I have read what you wrote: let me see.\nhttps://example.com/orders/1042.", at: asked.at, seq: 4, files: [file] },
      customer("Thank you! Here is a picture.", { key: "2", seq: 5, files: [picture] }),
    ],
    owner: { kind: "agent", name: "Mia Larsen" }, readByAgent: 5, typing: { name: "Mia Larsen" },
  }),
  queue: having({
    items: [customer("I want to talk to somebody"), { type: "line", key: "l1", at: asked.at, seq: 2, what: "queued" }],
    owner: { kind: "queue" }, queue: { place: 2, expectedWaitMs: 240_000, since: asked.at },
  }),
  form: having({
    items: [
      customer("Where is my order?"),
      answer("I can look it up. Which one is it?", { outcome: "asked_back" }),
      { type: "choices", key: "ch", seq: 4, options: [{ label: "The kettle, 3 November" }, { label: "The cups, 12 November" }, { label: "Another one" }], answered: false },
      {
        type: "form", key: "fo", seq: 5, title: "Your order", answered: false,
        fields: { required: ["order", "email"], properties: { order: { type: "string", title: "Order number", description: "Four digits, on the receipt" }, email: { type: "string", format: "email", title: "E-mail" }, shop: { enum: ["Online", "Hamburg", "Lyon"], title: "Where did you buy it?" }, news: { type: "boolean", title: "Tell me when it is sent" } } },
      },
    ],
  }),
  files: having({ items: [asked] , owner: { kind: "agent", name: "Mia" } }, {
    uploads: [
      { key: "1", name: "receipt.pdf", type: "application/pdf", bytes: 184_320, state: "ready", sent: 184_320, blob: new Blob() },
      { key: "2", name: "a-rather-long-name-of-a-picture-of-the-kettle.png", type: "image/png", bytes: 2_284_320, state: "sending", sent: 1_200_000, blob: new Blob() },
      { key: "3", name: "kettle.jpg", type: "image/jpeg", bytes: 9_000, state: "failed", sent: 0, error: "The file is not what its name says.", blob: new Blob() },
    ],
  }),
  csat: having({ items: [customer("Thanks, that is all."), answer("You are welcome."), { type: "line", key: "l", at: asked.at, seq: 9, what: "closed" }], ended: true, csat: "requested" }),
  arabic: having({ items: [customer("كيف يمكنني إرجاع الغلاية؟"), answer("يمكنك إرجاع الغلاية خلال **30 يومًا** من الاستلام. [1] راجع `orders` في حسابك.\n\n- افتح الطلبات\n- اطبع الملصق\n\n| البلد | السعر |\n| --- | ---: |\n| النرويج | 14.90 € |", { citations: sources })] }),
};

const query = new URLSearchParams(location.search);
const dir = query.get("dir") === "rtl" ? "rtl" : "ltr";
const app = document.getElementById("app")!;
app.dataset.scheme = query.get("scheme") ?? "light";
document.documentElement.dir = dir;
const t: T = translator(query.get("locale") ?? "en", en);
const { chat } = recorder();
const draw = (state: State) => render(<Thread chat={chat} state={state} t={t} />, app);

const scene = query.get("scene") ?? "answer";
if (scene === "stream") play();
else if (scene === "many") draw(many(Number(query.get("n") ?? 200)));
else draw(scenes[scene]!);

function many(n: number): State {
  return having({ items: Array.from({ length: n }, (_, i) => [{ ...asked, key: `q${i}` }, answer(long, { key: `a${i}`, turn: `t${i}`, citations: sources })]).flat() });
}

/** Plays an answer: window.played is set at its end. */
function play(): void {
  const text = `${long}\n\n`.repeat(Number(query.get("n") ?? 7));
  const before = many(Number(query.get("before") ?? 20)).thread.items;
  const mine = { ...asked, key: "mine", state: "sending" as const };
  draw(having({ items: before }));
  const pieces = text.match(/\S+\s*/g)!;
  let shown = "";
  const step = () => {
    shown += pieces.splice(0, 4).join("");
    const running = pieces.length > 0;
    draw(having({ items: [...before, { ...mine, state: "sent" }, answer(shown, { key: "now", turn: "now", running, citations: sources })], running: running ? "now" : undefined }));
    if (running) setTimeout(step, Number(query.get("pace") ?? 30));
    else Object.assign(window, { played: true });
  };
  requestAnimationFrame(() => {
    draw(having({ items: [...before, mine] }));
    setTimeout(step, 300);
  });
}
