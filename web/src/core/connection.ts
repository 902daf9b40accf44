// Follows one conversation's events for as long as it is open: as a stream where bytes come
// through, by long polling where a proxy holds them back. A cut is resumed from the last
// number that was taken. A tab that nobody sees rests, unless it is the one of the hidden
// tabs that goes on: browsers have few connections to a server, and all tabs share them.

import type { Env } from "./env.ts";
import { asProblem, problem, type Problem } from "./http.ts";
import { backOff, pauses } from "./pauses.ts";
import type { LogEvent, Signal } from "./protocol.gen.ts";
import { parser } from "./sse.ts";
import type { Link } from "./types.ts";

export interface Follower {
  /** The address of the events. */
  url: string;
  token(): string;
  /** The number of the last event that was taken. */
  after(): number;
  /** Takes an event, unless others are missing before it: false. With `anyway` it is taken. */
  take(event: LogEvent | Signal, anyway: boolean): boolean;
  link(link: Link): void;
  /** It cannot be followed any more: the conversation is gone, or not this visitor's. */
  refused(problem: Problem): void;
}

/** Follows until ended. */
export function follow(env: Env, f: Follower, ended: AbortSignal): void {
  const { times } = env;
  let failures = 0; // in a row
  let retry = times.retryMin;
  let gap = -1; // the number after which events were missing, the last time
  let polling = false;
  let streamTried = 0;
  let heard = 0; // when bytes came last
  let resting = false;
  let shown = new AbortController(); // when the tab is shown again
  let hidden: ReturnType<typeof setTimeout> | undefined;
  const { mark, pause, wake } = pauses();
  let cut: () => void = () => {};
  let patience: ReturnType<typeof setTimeout> | undefined;

  const lost = () => {
    if (!env.onLine()) f.link("offline");
    patience ??= setTimeout(() => f.link(env.onLine() ? "reconnecting" : "offline"), times.patience);
  };
  const calm = () => {
    clearTimeout(patience);
    patience = undefined;
  };
  const connected = (link: Link) => {
    calm();
    heard = Date.now();
    f.link(link);
  };

  const again = () => (cut(), wake());
  env.listen("online", again, ended);
  env.listen("offline", lost, ended);
  env.listen("pageshow", (e) => (e as PageTransitionEvent).persisted && again(), ended); // the page was frozen, and its stream with it
  env.listen("visibilitychange", look, ended);
  ended.addEventListener("abort", () => {
    calm();
    clearTimeout(hidden);
    shown.abort();
    again();
  });

  f.link("connecting");
  if (env.hidden()) rest();
  void run();

  function look(): void {
    clearTimeout(hidden);
    if (env.hidden()) {
      hidden = setTimeout(rest, times.hidden);
      return;
    }
    shown.abort();
    shown = new AbortController();
    if (resting || Date.now() - heard > times.silence / 2) again();
    resting = false;
  }

  function rest(): void {
    const { signal } = shown;
    resting = true;
    cut();
    void env.hold(f.url, signal).then(() => {
      if (signal.aborted) return;
      resting = false;
      wake();
    });
  }

  async function run(): Promise<void> {
    lost();
    while (!ended.aborted) {
      let wait = 0;
      const streams = !polling || Date.now() - streamTried >= times.streamAgain;
      const before = mark();
      if (resting) {
        calm();
        await pause(day, before);
        lost();
        continue;
      }
      try {
        if (streams) await stream().finally(() => (streamTried = Date.now()));
        else if (!(await poll())) wait = times.retryMin; // it was not held: do not hurry
      } catch (error) {
        if (ended.aborted) return;
        if (resting) continue;
        const why = asProblem(error);
        if (!why.passing) {
          calm();
          return f.refused(why);
        }
        wait = backOff({ ...times, retryMin: retry }, failures++, why.retryAfter);
        if (polling && streams) wait = 0; // the other way, at once
      }
      if (ended.aborted) return;
      if (wait > 0) {
        lost();
        await pause(wait, before);
      }
    }
  }

  /** Opens a request that ends when time runs out, which rearm puts off. */
  async function open(accept: string, query: string, ms: number): Promise<{ response: Response; rearm(ms: number): void; late(): boolean; close(): void }> {
    const limit = new AbortController();
    let late = false;
    const expire = () => {
      late = true;
      limit.abort();
    };
    let timer = setTimeout(expire, ms);
    const close = () => {
      clearTimeout(timer);
      limit.abort();
    };
    cut = close;
    const rearm = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(expire, ms);
    };
    try {
      const response = await env.fetch(`${f.url}?after=${f.after()}${query}`, {
        headers: { Accept: accept, Authorization: `Bearer ${f.token()}` },
        credentials: "omit",
        cache: "no-store",
        signal: limit.signal,
      });
      if (!response.ok) throw await problem(response);
      return { response, rearm, late: () => late, close };
    } catch (error) {
      close();
      if (late && accept !== "application/json") polling = true;
      throw error;
    }
  }

  async function stream(): Promise<void> {
    const { response, rearm, late, close } = await open("text/event-stream", "", times.firstByte);
    const opened = Date.now();
    let bytes = false;
    try {
      if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new Error("not a stream of events");
      const events = parser();
      const reader = response.body!.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        if (!bytes) polling = false;
        bytes = true;
        rearm(times.silence);
        const frames = events.push(value);
        if (events.retry !== undefined) retry = Math.max(times.retryMin, events.retry);
        connected("live");
        for (const frame of frames) if (!take(parse(frame.data))) return;
      }
      throw new Error("the stream ended"); // a server that stops, a proxy that has had enough
    } finally {
      if (late() && !bytes) polling = true;
      if (Date.now() - opened >= times.steady) failures = 0;
      close();
    }
  }

  /** Returns false if the answer was empty and came at once. */
  async function poll(): Promise<boolean> {
    const asked = Date.now();
    const { response, close } = await open("application/json", `&wait=${Math.round(times.poll / 1000)}`, times.poll + times.request);
    try {
      const { events } = (await response.json()) as { events: (LogEvent | Signal)[] };
      connected("polling");
      failures = 0;
      for (const event of events) if (!take(event)) return true;
      return events.length > 0 || Date.now() - asked >= times.poll / 2;
    } finally {
      close();
    }
  }

  /** False: what is missing has to be fetched first. A gap that is still there when it was
   * fetched again is the server's, and nobody's to fill. */
  function take(event: LogEvent | Signal | undefined): boolean {
    if (!event?.kind) return true;
    const after = f.after();
    if (!f.take(event, gap === after)) {
      gap = after;
      return false;
    }
    if (f.after() > after) failures = 0;
    return true;
  }
}

const day = 86_400_000;

/** What is no JSON is left out. */
function parse(data: string): LogEvent | Signal | undefined {
  try {
    return JSON.parse(data) as LogEvent | Signal;
  } catch {
    return undefined;
  }
}
