// The plain page: one conversation over the public API. It draws what the conversation's
// events say and nothing else, so that a page that was closed, or lost its connection,
// shows the same as one that was there all the time.
//
// Words of people and models become text nodes only.

const $ = (id) => document.getElementById(id);
const log = $("log"), scroller = $("scroller"), form = $("form"), text = $("text");

const assistant = new URLSearchParams(location.search).get("assistant") ?? "";
const place = "answerable:conversation:" + assistant; // in localStorage

// What is remembered between visits: {id, token}, or null.
let conversation = null;

// What the events so far say.
let seen = 0; // the number of the last one
let owner = "bot";
let ended = false;
let turns = new Map(); // id of a turn → what is shown of it
let pending = new Map(); // client_id → a message that was not accepted yet
let running = new Set(); // ids of turns that have not ended
let following = null; // the AbortController of the stream

function element(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") e.className = value;
    else if (key === "on") e.addEventListener("click", value);
    else e.setAttribute(key, value);
  }
  e.append(...children);
  return e;
}

// ---- Asking the server ----

// Problem is what the server says when it refuses.
class Problem extends Error {
  constructor(status, detail, wait) {
    super(detail);
    this.status = status;
    this.wait = wait; // seconds after which to try again, or 0
  }
}

async function ask(method, path, body, options = {}) {
  const headers = { ...options.headers };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (conversation) headers.Authorization = "Bearer " + conversation.token;
  const response = await fetch(path, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
    signal: options.signal, cache: "no-store", credentials: "omit",
  });
  if (response.ok) return response;
  let detail = "The server answered " + response.status + ".";
  try {
    detail = (await response.json()).detail ?? detail;
  } catch {
    // not one of our problems: a proxy's page
  }
  throw new Problem(response.status, detail, Number(response.headers.get("Retry-After")) || 0);
}

const base = () => "/v1/conversations/" + conversation.id;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// start makes a conversation when the first message is sent. Two messages at once share it.
let starting = null;
function start() {
  starting ??= (async () => {
    const response = await ask("POST", "/v1/conversations", assistant ? { assistant } : {});
    conversation = await response.json();
    remember();
    follow();
  })().finally(() => (starting = null));
  return starting;
}

function remember() {
  try {
    if (conversation) localStorage.setItem(place, JSON.stringify(conversation));
    else localStorage.removeItem(place);
  } catch {
    // without storage the conversation lasts as long as the page
  }
}

// send has a message accepted. It may be sent again and again: its client_id makes sure
// that the server takes it once.
async function send(words) {
  const message = { words, client: crypto.randomUUID?.() ?? String(Math.random()).slice(2) };
  message.item = element("li", { class: "customer waiting" }, element("p", { class: "words", dir: "auto" }, words));
  pending.set(message.client, message);
  enter(message.item);
  await deliver(message);
}

async function deliver(message) {
  note(message.item, "");
  for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
    try {
      if (!conversation) await start();
      await ask("POST", base() + "/messages", { text: message.words, client_id: message.client });
      complain("");
      return;
    } catch (e) {
      if (!pending.has(message.client)) return; // it was accepted, only the answer was lost
      const later = !(e instanceof Problem) || e.status >= 500 || e.status === 429;
      if (later && wait < 8000) {
        note(message.item, e.wait ? "Waiting to send…" : "Sending again…");
        await pause(e.wait ? 1000 * e.wait : wait);
        continue;
      }
      if (e.status === 409 || e.status === 404 || e.status === 401) closed();
      complain(sentence(e instanceof Problem ? e.message : "The server cannot be reached."));
      note(message.item, "Not sent.", "Try again", () => deliver(message));
      return;
    }
  }
}

async function act(path) {
  try {
    if (!conversation) await start();
    await ask("POST", base() + path, {});
    complain("");
  } catch (e) {
    complain(sentence(e instanceof Problem ? e.message : "The server cannot be reached."));
  }
}

// ---- Following the events ----

// follow reads the events from the last one seen, and comes back whenever the stream
// breaks. A stream without even a heartbeat is as good as broken.
async function follow() {
  following?.abort();
  const stop = (following = new AbortController());
  for (let wait = 1000; !stop.signal.aborted; ) {
    const silence = new AbortController();
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), 45_000);
    };
    try {
      alive();
      const response = await ask("GET", base() + "/events", undefined, {
        headers: { "Last-Event-ID": String(seen), Accept: "text/event-stream" },
        signal: AbortSignal.any([stop.signal, silence.signal]),
      });
      connected(true);
      for await (const event of events(response.body, alive)) {
        wait = 1000;
        take(event);
      }
    } catch (e) {
      if (stop.signal.aborted) return;
      if (e instanceof Problem && [401, 403, 404].includes(e.status)) {
        forget(); // the server does not know us any more
        return;
      }
    } finally {
      clearTimeout(timer);
    }
    if (stop.signal.aborted) return;
    connected(false);
    await pause(wait + Math.random() * 300);
    wait = Math.min(2 * wait, 15_000);
  }
}

// events parses server-sent events.
async function* events(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", data = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
      else if (line === "" && data.length) {
        yield JSON.parse(data.join("\n"));
        data = [];
      }
    }
  }
}

// take draws one event.
function take(e) {
  if (e.seq <= seen) return;
  seen = e.seq;
  const atEnd = isAtEnd();
  const draw = {
    "message.accepted": () => accepted(e.message),
    "turn.started": () => {
      running.add(e.turn);
      turn(e.turn);
    },
    text: () => {
      const t = turn(e.turn);
      // A folded event stands for those from first on.
      if (e.first) t.pieces = t.pieces.filter((p) => p.seq < e.first);
      t.pieces.push({ seq: e.seq, text: e.text });
      drawTurn(t);
    },
    citation: () => turn(e.turn).citations.set(e.mark, e),
    retract: () => {
      const t = turn(e.turn);
      t.pieces = [];
      t.citations.clear();
      t.note = "This answer is being written anew.";
      drawTurn(t);
    },
    "turn.ended": () => turnEnded(e),
    "agent.message": () => {
      enter(element("li", { class: "agent" },
        element("p", { class: "speaker" }, e.message.name || "Customer service"),
        element("p", { class: "words", dir: "auto" }, e.message.text)));
      speak((e.message.name || "Customer service") + " writes: " + e.message.text);
    },
    handoff: () => {},
    owner: () => {
      owner = e.owner;
      const who = e.name || "A person";
      say({ bot: "The assistant answers again", queue: "A person was asked for and will answer here", agent: who + " has joined" }[owner] ?? "");
    },
    closed: () => {
      closed();
      say("This conversation is closed");
    },
  }[e.kind];
  draw?.(); // kinds that we do not know say nothing to us
  show();
  if (atEnd) toEnd();
  else $("below").hidden = false;
}

function accepted(message) {
  const waiting = pending.get(message.client_id);
  if (waiting) {
    pending.delete(message.client_id);
    waiting.item.classList.remove("waiting");
    note(waiting.item, "");
    waiting.item.title = clock(message.at);
    return;
  }
  enter(element("li", { class: "customer", title: clock(message.at) }, element("p", { class: "words", dir: "auto" }, message.text)));
}

// turn returns what is shown of a turn, at the end of the log if it is new.
function turn(id) {
  let t = turns.get(id);
  if (!t) {
    const dots = element("span", { class: "dots", role: "img", "aria-label": "The answer is being written" }, element("i"), element("i"), element("i"));
    t = { pieces: [], citations: new Map(), note: "", words: element("div", { class: "words", dir: "auto" }, dots), sources: element("ol", { class: "sources", "aria-label": "Sources" }) };
    t.item = element("li", { class: "assistant" }, t.words);
    turns.set(id, t);
    enter(t.item);
  }
  return t;
}

function drawTurn(t) {
  const all = t.pieces.map((p) => p.text).join("");
  if (all) t.note = "";
  if (all || t.note) t.words.replaceChildren(...drawn(all, t.citations));
  note(t.item, t.note);
}

// drawn makes elements of a text: its tables and code as such, the rest as it is.
function drawn(all, citations) {
  const out = [];
  const lines = all.split("\n");
  let plain = [];
  const flush = () => {
    const text = plain.join("\n").replace(/^\n+|\n+$/g, ""); // blocks bring their own distance
    if (text) out.push(element("span", {}, ...marked(text, citations)));
    plain = [];
  };
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].startsWith("```")) {
      const end = lines.findIndex((l, n) => n > i && l.startsWith("```"));
      flush();
      out.push(element("pre", { tabindex: "0" }, lines.slice(i + 1, end < 0 ? undefined : end).join("\n")));
      i = end < 0 ? lines.length : end;
    } else if (lines[i].startsWith("|") && /^\|[\s:|-]*-[\s:|-]*$/.test(lines[i + 1] ?? "")) {
      const head = cells(lines[i]);
      const rows = [];
      for (i += 2; lines[i]?.startsWith("|"); i++) rows.push(cells(lines[i]));
      i--;
      flush();
      const row = (tag, texts) => element("tr", {}, ...texts.map((c) => element(tag, {}, ...marked(c, citations))));
      const table = element("table", {}, element("thead", {}, row("th", head)), element("tbody", {}, ...rows.map((r) => row("td", r))));
      out.push(element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, table));
    } else {
      plain.push(lines[i]);
    }
  }
  flush();
  return out;
}

const cells = (line) => line.replace(/^\|/, "").replace(/\|\s*$/, "").split("|").map((c) => c.trim());

// strong makes bold what Markdown marks so.
const strong = (text) => text.split(/\*\*([^*\n]+)\*\*/).map((part, i) => (i % 2 ? element("strong", {}, part) : part));

// marked makes links of the marks "[n]" in a text that cite something.
function marked(all, citations) {
  const out = [];
  let from = 0;
  for (const m of all.matchAll(/\[(\d{1,4})\]/g)) {
    const cited = citations.get(Number(m[1]));
    if (!cited) continue;
    // The space before a mark would let it begin a line alone.
    out.push(...strong(all.slice(from, m.index).replace(/ $/, "\u00a0")));
    from = m.index + m[0].length;
    const url = link(cited);
    out.push(url
      ? element("a", { class: "cite", href: url, target: "_blank", rel: "noreferrer", title: cited.title, "aria-label": "Source " + m[1] + ": " + cited.title }, m[1])
      : m[0]);
  }
  out.push(...strong(all.slice(from)));
  return out;
}

// link returns where a quote can be read: on our own page, or in the document itself,
// where browsers that can will show the very words.
function link(cited) {
  let url;
  try {
    url = new URL(cited.url, location.href);
  } catch {
    return "";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "";
  if (url.hash) return url.href;
  if (url.origin === location.origin && url.pathname.startsWith("/sources/")) return url.href + "#quote";
  const words = cited.quote.split("\n")[0].slice(0, 200);
  return url.href + "#:~:text=" + encodeURIComponent(words).replaceAll("-", "%2D");
}

function turnEnded(e) {
  running.delete(e.turn);
  const t = turn(e.turn);
  if (t.pieces.map((p) => p.text).join("") !== e.text) t.pieces = [{ seq: e.seq, text: e.text }];
  t.note = { stopped: "Stopped.", interrupted: "This answer broke off.", failed: "" }[e.outcome] ?? "";
  if (!e.text && !t.note) {
    t.item.remove(); // somebody else answers
    return;
  }
  const ending = t.note;
  drawTurn(t);
  note(t.item, ending);
  const used = [...t.citations.values()].filter((c) => e.text.includes("[" + c.mark + "]")).sort((a, b) => a.mark - b.mark);
  t.sources.replaceChildren(...used.map((c) => {
    const url = link(c);
    const parts = [element("span", { class: "number" }, String(c.mark)), element("span", { class: "title" }, c.title), element("span", { class: "quote" }, c.quote)];
    return element("li", {}, url ? element("a", { href: url, target: "_blank", rel: "noreferrer" }, ...parts) : element("span", { class: "plain" }, ...parts));
  }));
  if (used.length) t.words.after(t.sources);
  speak(e.text);
}

// ---- What is on the page ----

function enter(item) {
  $("welcome").hidden = true;
  log.append(item);
  toEnd();
}

function say(words) {
  if (!words) return;
  enter(element("li", { class: "system" }, words));
  speak(words);
}

// speak tells screen readers what is new, whole sentences at once. The past is not news.
let listening = false;
function speak(words) {
  if (listening) $("spoken").textContent = words;
}

// note puts a line below an entry, or takes it away.
function note(item, words, button, does) {
  item.querySelector(":scope > .note")?.remove();
  if (!words) return;
  const n = element("p", { class: "note" }, words);
  if (button) n.append(element("button", { class: "button", type: "button", on: does }, button));
  item.append(n);
}

function complain(words) {
  $("problem").textContent = words;
  $("problem").hidden = !words;
}

const sentence = (s) => s.charAt(0).toUpperCase() + s.slice(1) + (/[.!?…]$/.test(s) ? "" : ".");
const clock = (at) => new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

function connected(is) {
  $("state").classList.toggle("away", !is);
  show(is ? "" : "Connecting again…");
}

let connection = "";
function show(problem = connection) {
  connection = problem;
  const states = { bot: "Answers from our documents", queue: "Waiting for a person", agent: "You are talking to a person" };
  const words = problem || (ended ? "This conversation is closed" : states[owner]);
  if ($("state").textContent !== words) $("state").textContent = words;
  $("stop").hidden = running.size === 0;
  $("person").hidden = owner !== "bot" || ended;
  $("fresh").hidden = seen === 0 && !ended || owner === "bot" && !ended && running.size > 0;
  text.disabled = ended;
  $("send").disabled = ended || !text.value.trim();
}

function closed() {
  ended = true;
  running.clear();
  show();
}

// forget begins anew.
function forget() {
  following?.abort();
  conversation = null;
  remember();
  seen = 0;
  owner = "bot";
  ended = false;
  turns = new Map();
  pending = new Map();
  running = new Set();
  log.replaceChildren();
  $("welcome").hidden = false;
  $("state").classList.remove("away");
  complain("");
  show("");
  text.focus();
}

const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  $("below").hidden = true;
}

// ---- What people do ----

form.addEventListener("submit", (e) => {
  e.preventDefault();
  const words = text.value.trim();
  if (!words || ended) return;
  text.value = "";
  grow();
  complain("");
  listening = true;
  send(words);
});

text.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    form.requestSubmit();
  }
});

// grow fits the field to its text, where CSS cannot.
function grow() {
  if (!CSS.supports("field-sizing", "content")) {
    text.style.height = "auto";
    text.style.height = text.scrollHeight + "px";
  }
  $("send").disabled = ended || !text.value.trim();
}
text.addEventListener("input", grow);

document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && !$("stop").hidden) act("/stop");
});
$("stop").addEventListener("click", () => {
  act("/stop");
  text.focus();
});
$("person").addEventListener("click", () => act("/handoff"));
$("fresh").addEventListener("click", forget);
$("below").addEventListener("click", toEnd);
scroller.addEventListener("scroll", () => {
  if (isAtEnd()) $("below").hidden = true;
});
addEventListener("online", () => conversation && follow());

try {
  conversation = JSON.parse(localStorage.getItem(place));
} catch {
  conversation = null;
}
show();
if (conversation?.id && conversation.token) follow();
else conversation = null;
setTimeout(() => (listening = true), 2000);
