// A proxy in front of the server, as between a customer and any server: it passes on what
// it gets, until a test has it hold streams back, cut them, or put events into them that
// the server does not send yet.

import { once } from "node:events";
import { Agent, createServer, request } from "node:http";

/** Starts a proxy for the time of the test t. Where it leads to is said with to(url). */
export async function proxy(t) {
  const relay = new Relay();
  await relay.listen();
  t.after(() => relay.close());
  return relay;
}

class Relay {
  url;
  agent = new Agent({ keepAlive: true });
  target;
  /** What it was asked for: {method, path, headers, at}. */
  requests = [];
  /** "no": streams pass. "body": their headers do. "all": nothing does until they end. */
  holds = "no";
  /** Every request is refused by closing the connection. */
  down = false;
  /** May change each event on its way to the browser. */
  rewrite = (event) => event;
  /** If set, answers a request in the server's place, when it returns {status, body, headers}. */
  answer;
  #server = createServer((req, res) => this.#pass(req, res));
  #open = new Set(); // answers under way
  #logs = new Map(); // by conversation

  to(url) {
    this.target = new URL(url);
    return this;
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  close() {
    this.cut();
    this.agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Ends all answers under way in the middle. */
  cut() {
    for (const res of this.#open) res.destroy();
  }

  /** The conversation that was asked for last. */
  get conversation() {
    return [...this.#logs.keys()].at(-1);
  }

  /** Puts an event behind those that came through so far, and renumbers what follows. */
  inject(event) {
    const log = this.#log(this.conversation);
    log.extra.push({ after: log.last, event: { at: new Date().toISOString(), ...event } });
    for (const stream of log.streams) stream.catchUp();
  }

  /** Sends an event that has no number to those who follow now. */
  signal(event) {
    const data = JSON.stringify({ at: new Date().toISOString(), ...event });
    for (const { res } of this.#log(this.conversation).streams) res.write(`event: ${event.kind}\ndata: ${data}\n\n`);
  }

  #log(conversation) {
    if (!this.#logs.has(conversation)) this.#logs.set(conversation, new Log());
    return this.#logs.get(conversation);
  }

  async #pass(req, res) {
    this.requests.push({ method: req.method, path: req.url, headers: req.headers, at: performance.now() });
    if (this.down) return res.destroy();
    this.#open.add(res);
    res.on("close", () => this.#open.delete(res));
    const body = Buffer.concat(await req.toArray().catch(() => []));
    const own = req.method !== "OPTIONS" && (await this.answer?.({ method: req.method, path: req.url, body: String(body) }));
    if (own) {
      res.writeHead(own.status, { "Content-Type": "application/problem+json", "Access-Control-Allow-Origin": "*", ...own.headers });
      return res.end(Buffer.isBuffer(own.body) ? own.body : JSON.stringify(own.body));
    }

    const [, conversation, route] = /^\/v1\/conversations\/([^/?]+)(?:\/([a-z]+))?/.exec(req.url) ?? [];
    const log = conversation && this.#log(conversation);
    const headers = { ...req.headers, host: this.target.host, "accept-encoding": req.headers["accept-encoding"] ?? "identity" };
    if (log) headers["accept-encoding"] = "identity"; // it is read here
    const seen = Number(headers["last-event-id"] ?? new URL(req.url, this.url).searchParams.get("after") ?? 0);
    let path = req.url;
    if (log && route === "events") {
      if (headers["last-event-id"]) headers["last-event-id"] = String(log.server(seen));
      path = path.replace(/([?&]after=)\d+/, (_, name) => name + log.server(seen));
    }
    let sent = body;
    if (log && route === "read" && req.method === "POST") {
      const read = JSON.parse(body);
      sent = Buffer.from(JSON.stringify({ ...read, seq: log.server(read.seq) }));
      headers["content-length"] = String(sent.length);
    }
    const up = request({ host: this.target.hostname, port: this.target.port, agent: this.agent, method: req.method, path, headers });
    res.on("close", () => up.destroy());
    up.on("error", () => res.destroy());
    up.end(sent);
    const [answer] = await once(up, "response").catch(() => []);
    if (!answer) return res.destroy();
    answer.on("error", () => res.destroy());
    answer.on("aborted", () => res.destroy());
    const type = answer.headers["content-type"] ?? "";
    if (log && route === "events" && type.startsWith("text/event-stream")) return this.#stream(log, seen, answer, res);
    if (log && type.startsWith("application/json")) {
      const value = log.numbered(JSON.parse(String(Buffer.concat(await answer.toArray()))), seen, this.rewrite);
      const { "content-length": _, "transfer-encoding": __, ...rest } = answer.headers;
      return res.writeHead(answer.statusCode, rest).end(JSON.stringify(value));
    }
    res.writeHead(answer.statusCode, answer.headers);
    res.flushHeaders();
    answer.pipe(res);
  }

  /** Passes on a stream of events that begins behind the number seen. */
  async #stream(log, seen, answer, res) {
    const held = this.holds;
    if (held !== "all") {
      res.writeHead(answer.statusCode, answer.headers);
      res.flushHeaders();
    }
    if (held !== "no") {
      // It holds all back until the server ends the stream.
      const all = await answer.toArray().catch(() => []);
      if (held === "all") res.writeHead(answer.statusCode, answer.headers);
      return res.end(Buffer.concat(all));
    }
    const stream = {
      res,
      sent: seen,
      write(e) {
        res.write(`id: ${e.seq}\nevent: ${e.kind}\ndata: ${JSON.stringify(e)}\n\n`);
        stream.sent = e.seq;
      },
      catchUp() {
        for (let e; (e = log.injected(stream.sent + 1)); ) stream.write(e);
      },
    };
    log.streams.add(stream);
    res.on("close", () => log.streams.delete(stream));
    stream.catchUp();
    let rest = "";
    try {
      for await (const piece of answer.setEncoding("utf8")) {
        const frames = (rest + piece).split("\n\n");
        rest = frames.pop();
        for (const frame of frames) {
          const data = /^data: (.*)$/m.exec(frame)?.[1];
          if (!data) {
            res.write(`${frame}\n\n`);
            continue;
          }
          const event = this.rewrite(JSON.parse(data));
          if (event.seq) stream.write(log.renumbered(event));
          else res.write(`event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
          stream.catchUp();
        }
      }
      res.end();
    } catch {
      res.destroy();
    }
  }
}

/** The numbers of one conversation, as the server and as the browser counts. */
class Log {
  last = 0; // that the server sent
  extra = []; // {after, event}, in order
  streams = new Set();

  /** The number of the k-th event that was put in. */
  #number(k) {
    return this.extra[k].after + k + 1;
  }

  /** The server's number for what the browser has seen. */
  server(seen) {
    return seen - this.extra.filter((_, k) => this.#number(k) <= seen).length;
  }

  /** The browser's number for one of the server. */
  browser(seq) {
    return seq + this.extra.filter(({ after }) => after < seq).length;
  }

  renumbered(event) {
    this.last = Math.max(this.last, event.seq);
    return { ...event, seq: this.browser(event.seq), ...(event.first && { first: this.browser(event.first) }) };
  }

  /** The event with this number, if it was put in. */
  injected(seq) {
    const k = this.extra.findIndex((_, k) => this.#number(k) === seq);
    return k < 0 ? undefined : { seq, ...this.extra[k].event };
  }

  /** An answer in JSON, with the browser's numbers. */
  numbered(value, seen, rewrite) {
    if (value.events) {
      const events = [];
      let last = seen;
      const catchUp = () => {
        for (let e; (e = this.injected(last + 1)); last = e.seq) events.push(e);
      };
      catchUp();
      for (const e of value.events) {
        events.push(e.seq ? this.renumbered(rewrite(e)) : rewrite(e));
        last = e.seq ? events.at(-1).seq : last;
        catchUp();
      }
      return { ...value, events, next: last };
    }
    const mapped = { ...value };
    if (value.seq) mapped.seq = this.browser(value.seq);
    if (value.read) mapped.read = { customer: this.browser(value.read.customer), agent: this.browser(value.read.agent) };
    return mapped;
  }
}
