// What screen readers are told. The log itself announces nothing: an answer that grows
// would be read again and again. Instead everything new is said here once, in whole
// sentences, and seldom enough to be understood.

import type { T } from "../core/i18n.ts";
import type { AnswerItem, Item, LineItem, State, Thread } from "../core/types.ts";
import { speech, wholeSentences } from "./speech.ts";

/** Between two updates of the live region: a faster one would cut the voice short. */
export const pace = 2000; // ms

/** Lets text through at most once per pace; what comes in between is said together. */
export class Queue {
  private waiting: string[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private put: (text: string) => void) {}

  say(text: string): void {
    if (!text) return;
    this.waiting.push(text);
    if (this.timer === undefined) this.flush();
  }

  clear(): void {
    this.waiting = [];
  }

  destroy(): void {
    clearTimeout(this.timer);
    this.waiting = [];
  }

  private flush(): void {
    this.timer = undefined;
    if (this.waiting.length === 0) return;
    this.put(this.waiting.join(" "));
    this.waiting = [];
    this.timer = setTimeout(() => this.flush(), pace);
  }
}

/** Says what one state has more than the one before. The first is not news, nor is what a
 * conversation holds when it is opened. */
export class Narrator {
  private before: State | undefined;
  private said = new Map<string, number>(); // key of a running answer → up to where it was said

  constructor(
    private queue: Queue,
    private alarm: (text: string) => void,
  ) {}

  see(state: State, t: T, whole: boolean): void {
    const { before } = this;
    this.before = state;
    const { thread } = state;
    if (!before || thread.loading || before.thread.loading || (before.thread.id && before.thread.id !== thread.id)) {
      this.queue.clear();
      this.said.clear();
      for (const item of thread.items) {
        if (item.type === "answer" && item.running) this.said.set(item.key, wholeSentences(item.text, 0));
      }
      return;
    }
    if (thread.items !== before.thread.items) this.items(thread, before.thread, t, whole);
    if (thread.csat === "requested" && before.thread.csat !== "requested") this.queue.say(t("thread.csat_ask"));
    if (thread.link !== before.thread.link) this.link(thread, before.thread, t);
    if (thread.consentNeeded && !before.thread.consentNeeded) this.queue.say(t("thread.consent"));
    if (state.problem && state.problem.text !== before.problem?.text) this.alarm(state.problem.text);
  }

  private items(thread: Thread, before: Thread, t: T, whole: boolean): void {
    const old = new Map<string, Item>();
    for (const item of before.items) old.set(item.key, item);
    for (const item of thread.items) {
      const was = old.get(item.key);
      if (was === item) continue;
      switch (item.type) {
        case "customer":
          if (item.state === "failed" && (was?.type !== "customer" || was.state !== "failed")) {
            this.alarm([t("thread.not_sent"), item.error].filter(Boolean).join(" "));
          } else if (item.waits && (was?.type !== "customer" || was.waits?.text !== item.waits.text)) {
            this.queue.say(item.waits.text);
          }
          break;
        case "answer":
          this.answer(item, was as AnswerItem | undefined, t, whole);
          break;
        case "agent":
          if (!was) this.queue.say(t("thread.says", { name: item.name, text: item.text || t("thread.a_file") }));
          break;
        case "line":
          if (!was) this.queue.say(lineText(item, t));
          break;
        case "choices":
          if (!was) this.queue.say(t("thread.choose") + ": " + item.options.map((o) => o.label).join(", "));
          break;
        case "form":
          if (!was) this.queue.say(item.title ?? t("thread.form"));
          break;
      }
    }
  }

  private answer(item: AnswerItem, was: AnswerItem | undefined, t: T, whole: boolean): void {
    const ended = !item.running && (!was || was.running);
    if (!item.running && !ended) return;
    if (was && !item.text.startsWith(was.text)) {
      this.said.delete(item.key);
      this.queue.clear(); // it is void: what was not said yet need not be
    }
    const from = this.said.get(item.key) ?? 0;
    const to = ended ? item.text.length : whole ? from : wholeSentences(item.text, from);
    this.queue.say(speech(item.text.slice(from, to), t("thread.code")));
    this.said.set(item.key, to);
    if (!ended) return;
    this.said.delete(item.key);
    if (item.outcome === "failed") this.alarm(t("thread.failed"));
    else if (item.outcome === "stopped" || item.outcome === "interrupted" || item.outcome === "refused") this.queue.say(t(`thread.${item.outcome}`));
    else if (item.text) this.queue.say(t("thread.complete"));
  }

  private link(thread: Thread, before: Thread, t: T): void {
    if (thread.link === "reconnecting" || thread.link === "offline") this.queue.say(t(`thread.${thread.link}`));
    else if ((thread.link === "live" || thread.link === "polling") && (before.link === "reconnecting" || before.link === "offline")) {
      this.queue.say(t("thread.connected"));
    }
  }
}

export function lineText(item: LineItem, t: T): string {
  const name = item.name || t("thread.a_person");
  switch (item.what) {
    case "joined":
    case "left":
      return t(`thread.${item.what}`, { name });
    case "level":
      return t(`thread.level_${item.level ?? "full"}`);
    default:
      return t(`thread.${item.what}`);
  }
}
