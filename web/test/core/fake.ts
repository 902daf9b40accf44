// A small server that speaks the conversation's routes and misbehaves on demand, and
// browsers to go with it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { en } from "../words.ts";
import { usual, type Env } from "../../src/core/env.ts";
import { translator } from "../../src/core/i18n.ts";
import { uploads, type Send } from "../../src/core/uploads.ts";
import type { WidgetSettings } from "../../src/core/protocol.gen.ts";

type Fields = Record<string, unknown>;

export interface Stored {
  id: string;
  token: string;
  log: Fields[];
  owner: string;
  read: { customer: number; agent: number };
}

export class FakeServer {
  base = "";
  conversations = new Map<string, Stored>();
  /** Every request, as "POST /v1/…" with its body. */
  requests: { line: string; body: Fields; token: string }[] = [];
  settings: WidgetSettings = {
    version: 1, enabled: true, assistant: "demo", title: "Demo", locale: "en", accent: "#0b6e63", accents: { light: "#0b6e63", dark: "#63d2c2" }, open: "Open chat",
    disclosure: { version: "1", text: "An AI answers." }, suggestions: [], images: [], identity: true,
  };
  /** Proxies: streams are held back whole; connections are refused. */
  buffering = false;
  /** Answers a request instead of the server: a status, with a problem; a proxy's without. */
  refuse: (line: string) => number | { status: number; retryAfter?: number; proxy?: boolean } | undefined = () => undefined;
  /** Has the answer to a request wait. */
  hold: (line: string) => Promise<unknown> | undefined = () => undefined;
  /** What is sent as a stream of events, instead of the log's. */
  stream: (() => string) | undefined;
  /** What happens when a message was accepted. */
  onMessage: (c: Stored, message: Fields) => void = () => {};
  list: Fields[] = [];
  readonly #streams = new Set<{ c: Stored; response: ServerResponse; sent: number; signal: (line: string) => void }>();
  readonly #polls = new Set<{ c: Stored; after: number; answer: () => void }>();
  #server: Server | undefined;
  #port = 0;

  async start(): Promise<void> {
    this.#server = createServer((request, response) => void this.#handle(request, response));
    await new Promise<void>((resolve) => this.#server!.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    this.base = `http://127.0.0.1:${this.#port}`;
  }

  /** Kills it: connections break. start has it come back on the same port. */
  async stop(): Promise<void> {
    this.#streams.clear();
    this.#polls.clear();
    const server = this.#server!;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** Breaks the streams that are open. */
  cut(): void {
    for (const { response } of this.#streams) response.destroy();
    this.#streams.clear();
  }

  get streams(): number {
    return this.#streams.size;
  }

  get only(): Stored {
    return [...this.conversations.values()].at(-1)!;
  }

  begin(): Stored {
    const id = `c${this.conversations.size + 1}`;
    const c = { id, token: `t-${id}`, log: [], owner: "bot", read: { customer: 0, agent: 0 } };
    this.conversations.set(id, c);
    return c;
  }

  /** Appends an event and tells the followers. */
  event(c: Stored, kind: string, fields: Fields = {}): number {
    const seq = c.log.length + 1;
    c.log.push({ seq, kind, at: "2026-11-21T14:00:00.000Z", ...fields });
    for (const stream of this.#streams) if (stream.c === c) this.#flow(stream);
    for (const poll of this.#polls) if (poll.c === c) poll.answer();
    return seq;
  }

  signal(c: Stored, fields: Fields): void {
    for (const stream of this.#streams) if (stream.c === c) stream.signal(`data: ${JSON.stringify({ at: "2026-11-21T14:00:00.000Z", ...fields })}\n\n`);
  }

  /** Sends data that is no event. */
  raw(c: Stored, data: string): void {
    for (const stream of this.#streams) if (stream.c === c) stream.signal(`data: ${data}\n\n`);
  }

  count(line: string): number {
    return this.requests.filter((r) => r.line === line).length;
  }

  #flow(stream: { c: Stored; response: ServerResponse; sent: number }): void {
    if (this.buffering) return;
    for (; stream.sent < stream.c.log.length; stream.sent++) {
      const event = stream.c.log[stream.sent]!;
      stream.response.write(`id: ${String(event.seq)}\nevent: ${String(event.kind)}\ndata: ${JSON.stringify(event)}\n\n`);
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://x");
    const line = `${request.method} ${url.pathname}`;
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
    const body = (text ? JSON.parse(text) : {}) as Fields;
    this.requests.push({ line, body, token });
    const json = (status: number, value: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "Content-Type": "application/json", ...headers });
      response.end(JSON.stringify(value));
    };
    const problem = (status: number, detail: string, headers = {}) => json(status, { type: `/problems/${status}`, title: "", status, detail, request_id: "r" }, headers);

    const refused = this.refuse(line);
    if (refused !== undefined) {
      const { status, retryAfter, proxy = false } = typeof refused === "number" ? { status: refused, retryAfter: undefined } : refused;
      if (proxy) return void response.writeHead(status, { "Content-Type": "text/html" }).end("<h1>default backend</h1>");
      return problem(status, `refused with ${status}`, retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) });
    }
    await this.hold(line);
    if (line === "GET /v1/widget") return json(200, this.settings);
    if (line === "GET /v1/conversations") return json(200, { conversations: this.list });
    if (line === "POST /v1/conversations") {
      const c = this.begin();
      return json(201, { id: c.id, token: c.token });
    }
    const [, , , id, what] = url.pathname.split("/");
    const c = this.conversations.get(id!);
    if (!c) return problem(404, "there is no such conversation");
    if (token !== c.token && !token.startsWith("hmac.")) return problem(401, "the token is not this conversation's");
    switch (`${request.method} ${what ?? ""}`) {
      case "GET ":
        return json(200, { id, owner: c.owner, seq: c.log.length, read: c.read, ...(c.owner === "queue" && { queue: { place: 2 } }) });
      case "GET events": {
        const after = Number(url.searchParams.get("after"));
        if (url.searchParams.has("wait")) {
          const poll = { c, after, answer: () => {} };
          poll.answer = () => {
            this.#polls.delete(poll);
            json(200, { events: c.log.slice(after), next: c.log.length });
          };
          this.#polls.add(poll);
          request.on("close", () => this.#polls.delete(poll));
          if (c.log.length > after) poll.answer();
          return;
        }
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        if (this.buffering) return void response.flushHeaders();
        if (this.stream) return void response.end(this.stream());
        response.write(":\n\n");
        const stream = { c, response, sent: after, signal: (text: string) => response.write(text) };
        this.#streams.add(stream);
        response.on("close", () => this.#streams.delete(stream));
        return this.#flow(stream);
      }
      case "POST messages": {
        const before = c.log.find((e) => e.kind === "message.accepted" && (e.message as Fields).client_id === body.client_id);
        if (before) return json(202, { message: (before.message as Fields).id, seq: before.seq });
        const message = { id: `m${c.log.length}`, role: "customer", text: body.text, at: "2026-11-21T14:00:00.000Z", client_id: body.client_id };
        const seq = this.event(c, "message.accepted", { message });
        json(202, { message: message.id, turn: "t1", seq });
        return this.onMessage(c, message);
      }
      case "POST read":
        c.read.customer = Number(body.seq);
        return json(202, { seq: body.seq });
      case "POST identify":
        return json(200, { customer: { id: "u" } });
      default:
        return json(202, {});
    }
  }
}

const send: Send = async (url, token, file, progress) => {
  progress(file.size);
  const response = await fetch(url, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  return { status: 201, retryAfter: null, body: JSON.stringify({ id: "f1", name: file.name, type: file.type, bytes: file.size, ...((await response.json()) as object) }) };
};

/** A browser with tabs that share storage and channels. */
export class FakeBrowser {
  readonly local = new FakeStorage();
  onLine = true;
  readonly #tabs = new Set<{ name: string; heard: (message: unknown) => void }>();
  readonly #held = new Map<string, Promise<void>>();
  readonly #locks = new Map<string, Promise<unknown>>();
  readonly #listeners = new Set<{ type: string; listener: (e: Event) => void }>();

  /** A tab's view of it. Waiting times are short, but those after which one gives up. */
  tab(times: Partial<Env["times"]> = {}): Env {
    const session = new FakeStorage();
    return {
      fetch: (input, init) => (this.onLine ? fetch(input, init) : Promise.reject(new TypeError("offline"))),
      words: async (locale) => translator(locale, en),
      uploads: async () => (desk, key) => uploads(desk, key, send),
      listen: (type, listener, signal) => {
        const entry = { type, listener };
        this.#listeners.add(entry);
        signal.addEventListener("abort", () => this.#listeners.delete(entry));
      },
      onLine: () => this.onLine,
      hidden: () => false,
      origin: () => "http://host.example",
      languages: () => ["en"],
      storage: (kind) => (kind === "local" ? this.local : session) as unknown as Storage,
      channel: (name, heard) => {
        const tab = { name, heard };
        this.#tabs.add(tab);
        return {
          tell: (message) => {
            for (const other of [...this.#tabs]) if (other !== tab && other.name === name) queueMicrotask(() => other.heard(structuredClone(message)));
          },
          close: () => void this.#tabs.delete(tab),
        };
      },
      alone: <R>(name: string, act: () => Promise<R>): Promise<R> => {
        const turn = (this.#locks.get(name) ?? Promise.resolve()).then(act, act);
        this.#locks.set(name, turn);
        return turn;
      },
      hold: (name, signal) => {
        const before = this.#held.get(name) ?? Promise.resolve();
        const free = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        this.#held.set(name, before.then(() => free));
        return before;
      },
      frame: (act) => queueMicrotask(act),
      objectURL: () => "blob:x",
      revokeURL: () => {},
      times: { ...usual, retryMin: 5, retryMax: 20, patience: 10, read: 5, ...times },
    };
  }

  fire(type: string): void {
    for (const entry of [...this.#listeners]) if (entry.type === type) entry.listener({} as Event);
  }
}

export class FakeStorage {
  readonly values = new Map<string, string>();
  full = false;
  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.values.set(key, value);
  }
  removeItem(key: string): void {
    this.values.delete(key);
  }
}

/** Waits until the condition holds. The runner's own limit ends a wait that is in vain. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > limit) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
