// The customer's side of a conversation, put together: what is known (State), and what the
// customer does. Begin with createChat.
//
// The log of the open conversation changes only in fold and in the acts of events.ts; what
// the browser keeps, only in store. Everything else follows from the two.

import { follow } from "./connection.ts";
import { browser, type Env } from "./env.ts";
import * as events from "./events.ts";
import { asProblem, http, Problem } from "./http.ts";
import { wordless } from "./i18n.ts";
import { whoIs } from "./identity.ts";
import { isDraft, outbox } from "./outbox.ts";
import { backOff, pauses as createPauses } from "./pauses.ts";
import type { Accepted, Conversation, LogEvent, Signal } from "./protocol.gen.ts";
import { settingsPath } from "./settings.ts";
import { placeOf, store as openStore, type Data, type Kept, type Outgoing } from "./storage.ts";
import type { Chat, Entry, Item, Options, State, Thread, WidgetSettings } from "./types.ts";
import type { Uploads } from "./uploads.ts";

/** What tabs of one visitor tell one another. */
type News =
  | { kind: "open"; id?: string }
  | { kind: "seen"; id: string; seen: number }
  | { kind: "list" }
  | { kind: "consent" }
  | { kind: "logout" };

export function createChat(options: Options, env: Env = browser()): Chat {
  const { times } = env;
  const { base, assistant = "" } = options;
  const name = placeOf(base || env.origin(), assistant);
  const ended = new AbortController(); // with the mount
  const store = openStore(env, name, options.storage ?? "local");
  const server = http(env, base, ended.signal);
  const pauses = createPauses();

  let t = wordless;
  let locale = options.locale ?? env.languages()[0] ?? "en";
  let context: Record<string, unknown> = {};
  let identity: string | undefined;
  let visit = 0; // goes up when the visitor is forgotten
  let visible = false;

  // ---- state and its listeners ----

  let draft = newDraft(); // what the conversation is called until it has an id
  let log = events.empty(undefined, draft);
  let state: State = { thread: log.thread, notices: [], list: { entries: [], loading: false, more: false }, uploads: [], unread: 0 };
  const listeners = new Set<(s: State) => void>();
  const eventListeners = new Set<(kind: string, item?: Item) => void>();
  let scheduled = false;

  function set(change: Partial<State>): void {
    state = { ...state, ...change };
    if (scheduled || ended.signal.aborted) return;
    scheduled = true;
    env.frame(() => {
      scheduled = false;
      if (ended.signal.aborted) return;
      for (const listener of [...listeners]) listener(state);
    });
  }

  function setLog(next: events.Log): void {
    if (next.thread === log.thread) {
      log = next;
      return;
    }
    log = next;
    const others = state.list.entries.reduce((n, entry) => n + (entry.id === log.thread.id ? 0 : entry.unread), 0);
    set({ thread: log.thread, unread: log.thread.unread + others });
  }

  function setThread(change: Partial<Thread>): void {
    if (Object.entries(change).some(([key, value]) => log.thread[key as keyof Thread] !== value)) setLog({ ...log, thread: { ...log.thread, ...change } });
  }

  // ---- words for what went wrong ----

  function explain(problem: Problem): string {
    const { status } = problem;
    if (status === 0) return t("core.offline");
    if (status === 413) return t("core.too_long");
    if (status === 429) return t("core.busy");
    if (problem.passing) return t("core.server");
    console.info(`Answerable: ${status}, ${problem.message}`);
    if (status === 401 && state.expired) return t("core.signed_out");
    if (gone(problem)) return t("core.gone");
    if (status === 409) return log.thread.ended ? t("core.ended") : t("core.not_now");
    return t("core.refused");
  }

  /** It does not exist, or not for this visitor. */
  const gone = (problem: Problem): boolean => !problem.passing && [401, 403, 404, 410].includes(problem.status);

  function explainFile(problem: Problem): string {
    if (problem.status === 413) return t("core.file_large");
    return problem.status === 415 || problem.status === 403 ? t("core.file_type") : explain(problem);
  }

  /** Does something that the customer asked for once; what went wrong is shown. */
  async function act(what: () => Promise<unknown>, undo?: () => void): Promise<void> {
    const then = visit;
    try {
      await what();
      if (state.problem) set({ problem: undefined });
    } catch (error) {
      if (ended.signal.aborted || visit !== then) return;
      const problem = asProblem(error);
      undo?.();
      set({ problem: { text: explain(problem), ...(problem.retryAfter !== undefined && { retryAt: Date.now() + problem.retryAfter }) } });
    }
  }

  // ---- what is kept ----

  const kept = (id: string): Kept | undefined => store.read().conversations.find((c) => c.id === id);
  const token = (id: string): string => kept(id)?.token ?? identity ?? "";
  const path = (id: string): string => `/v1/conversations/${encodeURIComponent(id)}`;

  /** Changes what is kept of a conversation, if it is: another tab may have logged out. */
  function keep(id: string, change: Partial<Kept>): void {
    store.update(({ conversations }) => {
      if (!conversations.some((c) => c.id === id)) return undefined;
      return { conversations: conversations.map((c) => (c.id === id ? { ...c, ...change } : c)).sort(newest) };
    });
  }

  /** Begins to keep a conversation. */
  function keepNew(id: string, known: Partial<Kept>): void {
    store.update(({ conversations }) => {
      if (conversations.some((c) => c.id === id)) return undefined;
      const entry = { id, title: "", at: new Date().toISOString(), last: "", seen: 0, unread: 0, ended: false, ...known };
      return { conversations: [entry, ...conversations].sort(newest) };
    });
  }

  /** Keeps of the open conversation what the list shows, where it has changed. */
  function remember(): void {
    const { id, items, ended, unread } = log.thread;
    if (!id || log.thread.loading) return;
    const said = items.filter((item) => item.type === "agent" || (item.type === "customer" && item.seq !== undefined) || (item.type === "answer" && !item.running && item.text !== ""));
    const first = said.find((item) => item.type === "customer");
    const last = said.at(-1);
    const now: Partial<Kept> = { ended, unread };
    if (first?.type === "customer") now.title = excerpt(first.text || first.files[0]?.name || "");
    if (last) Object.assign(now, { last: excerpt(textOf(last)), at: last.type === "answer" ? last.startedAt : timeOf(last) });
    const before = kept(id);
    if (before && Object.entries(now).every(([key, value]) => before[key as keyof Kept] === value)) return;
    keep(id, now);
    showList();
    tabs.tell({ kind: "list" } satisfies News);
  }

  // ---- the list ----

  let remote: Entry[] = []; // of the signed customer, from all devices
  let nextPage: string | undefined;

  function showList(change: Partial<State["list"]> = {}): void {
    const local = store.read().conversations.filter((c) => c.title !== "" || c.last !== "");
    const byId = new Map<string, Entry>(remote.map((entry) => [entry.id, entry]));
    for (const c of local) {
      const other = byId.get(c.id);
      if (!other || other.at <= c.at) byId.set(c.id, { id: c.id, title: c.title, at: c.at, last: c.last, unread: c.unread, ended: c.ended });
    }
    const entries = [...byId.values()].sort(newest);
    const others = entries.reduce((n, entry) => n + (entry.id === log.thread.id ? 0 : entry.unread), 0);
    set({ list: { ...state.list, entries, more: nextPage !== undefined, ...change }, unread: log.thread.unread + others });
  }

  async function loadList(more: boolean): Promise<void> {
    const signed = identity;
    if (!signed || !allowed()) return showList({ loading: false, error: undefined });
    if (state.list.loading) return;
    showList({ loading: true, error: undefined });
    try {
      const after = more && nextPage !== undefined ? `?after=${encodeURIComponent(nextPage)}` : "";
      const page = await server.get<{ conversations: (Omit<Entry, "ended"> & { ended?: boolean })[]; next?: string | number }>(`/v1/conversations${after}`, signed);
      if (identity !== signed) return;
      const entries = page.conversations.map((c) => ({ ...c, ended: c.ended ?? false }));
      remote = after ? [...remote, ...entries] : entries;
      nextPage = page.next === undefined ? undefined : String(page.next);
      showList({ loading: false });
    } catch (error) {
      if (identity !== signed) return;
      const problem = asProblem(error);
      if (problem.status === 401 && !problem.passing) return signedOut();
      showList({ loading: false, error: explain(problem) });
    }
  }

  // ---- other tabs ----

  const tabs = env.channel(name, (message) => {
    const news = message as News;
    switch (news.kind) {
      case "open":
        return catchUp();
      case "seen":
        return news.id === log.thread.id ? see(news.seen) : showList();
      case "list":
        return showList();
      case "consent":
        return proceed();
      case "logout":
        return forget();
    }
  });

  // What another tab has kept may be here later than its news.
  env.listen("storage", (e) => (e as StorageEvent).key === name && catchUp(), ended.signal);

  /** Shows what another tab has opened; not one that keeps its conversations to itself. */
  function catchUp(): void {
    const id = current();
    if (begun && id !== log.thread.id) show(id);
  }

  /** The conversation that was open last, if there is something that opens it. */
  function current(): string | undefined {
    const { current: id } = store.read();
    return id !== undefined && token(id) ? id : undefined;
  }

  // ---- the open conversation ----

  let making: { draft: string; id: Promise<string> } | undefined;
  let following = new AbortController();
  let seen = 0; // the number up to which the customer has read
  let loadedTo: number | undefined; // what is above is news; undefined until it is known
  let early: { seq: number; kind: string; item?: Item }[] = []; // until then

  /** Shows a conversation, or with none the beginning of a new one. */
  function show(id: string | undefined, of = newDraft()): void {
    following.abort();
    following = new AbortController();
    composing.stop();
    composer?.clear();
    for (const timer of [typingTimer, queueTimer, readTimer]) clearTimeout(timer);
    readTimer = undefined;
    readTold = 0;
    dropFiles();
    making = undefined;
    const data = store.read();
    draft = of;
    seen = id ? (kept(id)?.seen ?? 0) : 0;
    loadedTo = id ? undefined : 0;
    early = [];
    let next = events.empty(id, draft);
    next = { ...next, thread: { ...next.thread, consentNeeded: consentNeeded(), ...(id && kept(id)?.skipped && { csat: "skipped" }) } };
    for (const message of data.outbox) if (message.conversation === (id ?? draft)) next = events.waiting(next, message);
    setLog(next);
    if (id) attach(id);
  }

  function attach(id: string): void {
    if (!begun || (log.thread.consentNeeded && kept(id)?.token === undefined)) return; // proceed attaches it
    const { signal } = following;
    const link = (to: Thread["link"]) => !signal.aborted && setThread({ link: to });
    const refused = (problem: Problem) => !signal.aborted && lost(id, problem);
    follow(env, { url: `${base}${path(id)}/events`, token: () => token(id), after: () => log.thread.seq, take, link, refused }, signal);
    if (loadedTo === undefined) void look(id, signal);
    box.send(id);
  }

  /** Asks how the conversation stands: up to which number it is old, what was read, who waits. */
  async function look(id: string, signal: AbortSignal): Promise<void> {
    let standing: Conversation | undefined;
    for (let failures = 0; !standing; failures++) {
      const before = pauses.mark();
      try {
        standing = await server.get<Conversation>(path(id), token(id));
      } catch (error) {
        if (signal.aborted || loadedTo !== undefined) return;
        const problem = asProblem(error);
        if (!problem.passing) return lost(id, problem);
        await pauses.pause(backOff(times, failures, problem.retryAfter), before);
        if (signal.aborted) return;
      }
    }
    if (signal.aborted) return;
    const { read, queue } = standing;
    setThread({ readByAgent: Math.max(log.thread.readByAgent, read.agent) });
    if (queue && log.thread.owner.kind === "queue") setThread({ queue: { ...log.thread.queue, place: queue.place } });
    if (loadedTo === undefined) {
      loadedTo = standing.seq;
      for (const { seq, kind, item } of early) if (seq > loadedTo) emit(kind, item);
      early = [];
    }
    see(read.customer);
    loaded();
  }

  function loaded(): void {
    if (!log.thread.loading || loadedTo === undefined || log.thread.seq < loadedTo) return;
    setThread({ loading: false });
    mark();
    watchQueue();
    leave();
  }

  /** After its end nothing comes in a conversation but how it went. */
  function leave(): void {
    const { ended, loading, csat } = log.thread;
    if (!ended || loading || csat === "requested") return;
    following.abort();
    setThread({ link: "idle" });
  }

  /** The conversation cannot be followed: it is gone, or not this visitor's any more. */
  function lost(id: string, problem: Problem): void {
    if (problem.status === 401 && kept(id)?.token === undefined) return signedOut();
    const known = log.thread.items.length > 0;
    if (gone(problem)) {
      store.update(({ conversations, current }) => ({ conversations: conversations.filter((c) => c.id !== id), current: current === id ? undefined : current }));
      show(undefined);
      showList();
    } else {
      setThread({ loading: false, link: "reconnecting" });
    }
    if (known) set({ problem: { text: explain(problem) } });
  }

  function take(event: LogEvent | Signal, anyway: boolean): boolean {
    if (events.isSignal(event)) {
      setLog(events.fold(log, event));
      heard(event);
      return true;
    }
    if (!(event.seq > log.thread.seq)) return true; // seen, or a signal of a newer server
    if (!anyway && !events.follows(log, event)) return false;
    setLog(events.fold(log, event));
    if (event.kind === "message.accepted" && event.message.client_id) box.drop(event.message.client_id);
    if (event.kind === "owner") watchQueue();
    loaded();
    if (["agent.message", "turn.ended", "turn.started", "message.accepted", "closed"].includes(event.kind)) mark();
    const item = itemOf(event);
    if (loadedTo === undefined) early.push({ seq: event.seq, kind: event.kind, item });
    else if (event.seq > loadedTo) emit(event.kind, item);
    leave();
    return true;
  }

  function emit(kind: string, item: Item | undefined): void {
    for (const listener of [...eventListeners]) listener(kind, item);
  }

  function itemOf(event: LogEvent): Item | undefined {
    const { items } = log.thread;
    if (event.kind === "message.accepted") return items.findLast((item) => item.type === "customer" && item.seq === event.seq);
    if ("turn" in event && event.turn !== undefined && event.kind !== "handoff") return items.findLast((item) => item.type === "answer" && item.turn === event.turn);
    return items.findLast((item) => item.seq === event.seq);
  }

  let typingTimer: ReturnType<typeof setTimeout> | undefined;

  function heard(signal: Signal): void {
    if (signal.kind === "read" && signal.by === "customer") see(signal.seq); // on another device
    if (signal.kind !== "typing" || signal.by !== "agent") return;
    clearTimeout(typingTimer);
    if (signal.typing) typingTimer = setTimeout(() => setThread({ typing: undefined }), times.typingHolds);
  }

  let queueTimer: ReturnType<typeof setTimeout> | undefined;

  function watchQueue(): void {
    clearTimeout(queueTimer);
    const { id, owner } = log.thread;
    if (!id || owner.kind !== "queue" || loadedTo === undefined) return;
    const { signal } = following;
    void look(id, signal).then(() => {
      if (!signal.aborted && log.thread.owner.kind === "queue") queueTimer = setTimeout(watchQueue, times.queue);
    });
  }

  // ---- what was read ----

  let readTold = 0;
  let readTimer: ReturnType<typeof setTimeout> | undefined;

  /** Something was said, or somebody looks: what is new is counted or read. */
  function mark(): void {
    const { items, id, loading } = log.thread;
    if (!id || loading) return;
    const upTo = events.readable(items);
    if (visible && upTo > seen) {
      seen = upTo;
      keep(id, { seen });
      tabs.tell({ kind: "seen", id, seen } satisfies News);
    }
    setThread({ unread: events.unread(items, seen) });
    remember();
    if (!visible || upTo === 0 || readTimer !== undefined || !allowed()) return;
    readTimer = setTimeout(() => {
      readTimer = undefined;
      if (log.thread.id !== id || seen <= readTold) return;
      readTold = seen;
      server.post(`${path(id)}/read`, { seq: seen }, token(id)).catch(() => (readTold = 0)); // with the next mark, then
    }, times.read);
  }

  /** The customer has read up to a number elsewhere. */
  function see(upTo: number): void {
    const { id } = log.thread;
    if (!id || upTo <= seen) return;
    seen = upTo;
    keep(id, { seen });
    mark();
  }

  // ---- beginning one ----

  function ensure(): Promise<string> {
    const { id } = log.thread;
    return id ? Promise.resolve(id) : make(draft);
  }

  /** The conversation of a draft: made once, also when several ask, or several tabs. */
  function make(of: string): Promise<string> {
    if (making?.draft === of) return making.id;
    const then = visit;
    const mine = store.read().outbox.filter((m) => m.conversation === of).map((m) => m.key);
    const id = env.alone(`${name}:new`, async () => {
      const waiting = store.read().outbox.filter((m) => mine.includes(m.key));
      const made = waiting.find((m) => !isDraft(m.conversation))?.conversation;
      if (made) return made; // by another tab
      if (visit !== then || waiting.length < mine.length) throw new Problem(0, "not wanted any more");
      const { disclosure } = state.settings!;
      const agreed = agreement();
      const body = {
        ...(assistant && { assistant }),
        locale,
        ...(Object.keys(context).length > 0 && { metadata: context }),
        disclosure: { version: disclosure.version, locale: agreed?.locale ?? state.settings!.locale, consent: agreed !== undefined },
      };
      const created = await server.post<{ id: string; token: string }>("/v1/conversations", body, identity).catch((error) => {
        const problem = asProblem(error);
        if (identity && visit === then && problem.status === 401 && !problem.passing) signedOut();
        throw problem;
      });
      if (visit !== then) throw new Problem(0, "not wanted any more");
      keepNew(created.id, { token: created.token, ...(state.customer && { customer: state.customer.id }) });
      store.update(({ outbox }) => ({ outbox: outbox.map((m) => (m.conversation === of ? { ...m, conversation: created.id } : m)) }));
      return created.id;
    });
    making = { draft: of, id };
    id.then(
      (made) => adopt(of, made),
      () => (making = undefined),
    );
    return id;
  }

  function adopt(of: string, id: string): void {
    if (draft !== of || log.thread.id !== undefined || ended.signal.aborted) return;
    setThread({ id });
    store.update(() => ({ current: id }));
    tabs.tell({ kind: "open", id } satisfies News);
    attach(id);
  }

  const box = outbox(
    env,
    store,
    {
      allowed,
      conversation: make,
      post: ({ conversation, text, key, files }: Outgoing) =>
        server.post<Accepted>(`${path(conversation)}/messages`, { text, client_id: key, ...(files.length > 0 && { files: files.map((f) => f.id) }) }, token(conversation)),
      sent: (message) => {
        if (inThread(message)) setLog(events.sent(log, message.key));
      },
      waits(message, problem, until) {
        if (problem.status > 0 && inThread(message)) setLog(events.waiting(log, { ...message, waits: { text: explain(problem), until } }));
      },
      failed(message, problem) {
        const error = explain(problem);
        if (inThread(message)) setLog(events.waiting(log, { ...message, error }));
        return error;
      },
    },
    ended.signal,
  );
  const inThread = (message: Outgoing): boolean => log.thread.items.some((item) => item.key === message.key);

  let composer: Uploads | undefined; // from the first file on

  async function upload(file: globalThis.File): Promise<void> {
    const { signal } = following;
    const uploads = await env.uploads();
    if (signal.aborted) return;
    composer ??= uploads(
      {
        place: async () => {
          const id = await ensure();
          return { url: `${base}${path(id)}/files`, token: token(id) };
        },
        words: explainFile,
        changed: () => set({ uploads: [...(composer?.list ?? [])] }),
      },
      newKey,
    );
    composer.add(file, state.settings?.files);
  }

  /** Tells the server that the customer types, not too often. */
  const composing = (() => {
    let toldAt = 0; // 0: it was told that nobody types
    let idle: ReturnType<typeof setTimeout> | undefined;
    const tell = (typing: boolean) => {
      const { id, ended } = log.thread;
      if (id && !ended && allowed()) server.post(`${path(id)}/typing`, { typing }, token(id)).catch(() => {}); // nobody misses it
    };
    const stop = () => {
      clearTimeout(idle);
      if (toldAt > 0) tell(false);
      toldAt = 0;
    };
    return {
      key() {
        clearTimeout(idle);
        idle = setTimeout(stop, times.typingEnds);
        if (Date.now() - toldAt < times.typing) return;
        toldAt = Date.now();
        tell(true);
      },
      stop,
      /** A message was sent, which says as much. */
      sent() {
        clearTimeout(idle);
        toldAt = 0;
      },
    };
  })();

  // ---- files ----

  const fileURLs = new Map<string, Promise<string>>();

  function dropFiles(): void {
    for (const url of fileURLs.values()) url.then(env.revokeURL, () => {});
    fileURLs.clear();
  }

  // ---- settings, consent, identity ----

  /** What the visitor has agreed to, if it is what they are asked for now. */
  function agreement(): Data["consent"] {
    const { consent } = store.read();
    return consent?.version === state.settings?.disclosure.version ? consent : undefined;
  }

  const consentNeeded = (): boolean => state.settings?.consent !== undefined && !agreement();

  /** Whether anything may be sent. */
  function allowed(): boolean {
    return begun && !log.thread.consentNeeded;
  }

  let settingsAsked = 0;
  let spoken = Promise.resolve(); // when the words are there

  async function loadSettings(): Promise<boolean> {
    const asked = ++settingsAsked;
    for (let failures = 0; ; failures++) {
      const before = pauses.mark();
      try {
        const wanted = locale;
        const settings = await server.get<WidgetSettings>(settingsPath(assistant, locale, options.accent));
        if (asked !== settingsAsked || ended.signal.aborted) return false;
        if (wanted !== locale) continue;
        told = Date.now();
        set({ settings, failed: undefined });
        tell();
        return true;
      } catch (error) {
        await spoken;
        if (asked !== settingsAsked || ended.signal.aborted) return false;
        const problem = asProblem(error);
        // Where there are settings already, the chat goes on with them.
        if (!state.settings) set({ failed: problem.passing ? t("core.settings") : problem.status === 404 ? t("core.no_assistant") : explain(problem) });
        if (!problem.passing) return false;
        await pauses.pause(backOff(times, failures, problem.retryAfter), before);
      }
    }
  }

  // ---- notices: they end by themselves, and others come while the page is open ----

  let told = 0; // when the server was asked last
  let newsTimer: ReturnType<typeof setTimeout> | undefined;

  /** Shows the notices that are in force, until the next one ends or a look is due. */
  function tell(): void {
    const now = Date.now();
    const dismissed = store.read().dismissed ?? [];
    const inForce = (state.settings?.notices ?? []).filter((n) => Date.parse(n.until) > now);
    const notices = inForce.filter((n) => !dismissed.includes(n.id));
    if (notices.map((n) => n.id).join() !== state.notices.map((n) => n.id).join()) set({ notices });
    clearTimeout(newsTimer);
    newsTimer = setTimeout(() => void lookAround(), Math.min(times.news, ...inForce.map((n) => Date.parse(n.until) - now)));
  }

  /** Asks for notices and hours again, where somebody could see them. */
  async function lookAround(): Promise<void> {
    if (begun && visible && !env.hidden() && Date.now() - told >= times.news) {
      told = Date.now();
      const asked = settingsAsked;
      const fresh = await server.get<WidgetSettings>(settingsPath(assistant, locale, options.accent), undefined, "no-cache").catch(() => undefined);
      if (ended.signal.aborted) return;
      if (fresh && asked === settingsAsked) set({ settings: { ...state.settings!, notices: fresh.notices, hours: fresh.hours } });
    }
    tell();
  }

  async function speak(wanted: string): Promise<void> {
    const words = await env.words(wanted, ended.signal).catch(() => undefined); // it ended
    if (words && locale === wanted) t = words;
  }

  function identify(given: string): void {
    const customer = whoIs(given);
    if (!customer) return signedOut();
    if (state.settings?.identity === false) return; // the server would not know what to make of it
    const before = store.read().customer;
    if (before !== undefined && before !== customer.id) logout(); // somebody else was here
    identity = given;
    store.update(() => ({ customer: customer.id }));
    set({ customer, ...(state.expired && { expired: undefined, problem: undefined }) });
    showList({ loading: false }); // what was asked for with another is not waited for
    if (log.thread.items.length === 0) catchUp();
  }

  /** The conversations that began before the customer was known follow them. */
  async function linkAnonymous(): Promise<void> {
    const signed = identity;
    const { customer } = state;
    if (!signed || !customer || !allowed()) return;
    for (const { id } of store.read().conversations) {
      const known = kept(id);
      if (known?.token === undefined || known.customer === customer.id) continue;
      const problem = await server.post(`${path(id)}/identify`, { identity: signed }, known.token).then(() => undefined, asProblem);
      if (ended.signal.aborted || identity !== signed) return;
      if (!problem) keep(id, { customer: customer.id });
      else if (problem.passing) continue;
      else if (problem.status === 401) return signedOut();
      else if (gone(problem) || problem.status === 409) store.update(({ conversations }) => ({ conversations: conversations.filter((c) => c.id !== id) })); // or another's
    }
    await loadList(false);
  }

  function signedOut(): void {
    identity = undefined;
    remote = [];
    nextPage = undefined;
    set({ customer: undefined, expired: true, problem: { text: t("core.signed_out") } });
    const { id } = log.thread;
    store.update(({ conversations, current }) => {
      const own = conversations.filter((c) => c.token !== undefined); // the others only the identity opens
      return { conversations: own, current: own.find((c) => c.id === current)?.id };
    });
    if (id && !kept(id)) show(undefined);
    showList({ loading: false });
  }

  /** Forgets everything that this browser knows. */
  function forget(): void {
    visit++;
    identity = undefined;
    context = {};
    remote = [];
    nextPage = undefined;
    store.clear();
    set({ customer: undefined, expired: undefined, problem: undefined });
    show(undefined);
    showList({ loading: false, error: undefined });
  }

  function logout(): void {
    forget();
    tabs.tell({ kind: "logout" } satisfies News);
  }

  // ---- the beginning ----

  let started = false;
  let begun = false; // the settings are here

  async function start(): Promise<void> {
    spoken = speak(locale);
    if (!started) {
      started = true;
      if (options.identity) identify(options.identity);
      context = { ...options.context, ...context }; // of whoever is here now
      const id = current();
      show(id, id === undefined ? store.read().outbox.findLast((m) => isDraft(m.conversation))?.conversation : undefined);
    }
    pauses.wake();
    if (!(await loadSettings()) || begun) return;
    const settings = state.settings!;
    if (!settings.enabled && !options.stays) return;
    begun = true;
    if (!settings.identity) {
      identity = undefined;
      set({ customer: undefined });
    }
    showList();
    catchUp();
    proceed();
  }

  /** Goes on with what has waited for the settings, or for the consent. */
  function proceed(): void {
    setThread({ consentNeeded: consentNeeded() });
    const { id, loading, link } = log.thread;
    if (id && loading && link === "idle") attach(id);
    if (!allowed()) return;
    for (const conversation of new Set(store.read().outbox.map((m) => m.conversation))) box.send(conversation);
    mark();
    void linkAnonymous();
  }

  env.listen("online", pauses.wake, ended.signal);
  ended.signal.addEventListener("abort", pauses.wake);

  function say(text: string): void {
    if (text.trim() === "" && !state.uploads.some((u) => u.state === "ready")) return;
    if (log.thread.ended || (log.thread.id && kept(log.thread.id)?.ended)) fresh();
    composing.sent();
    const { id } = log.thread;
    const message: Outgoing = { key: newKey(), conversation: id ?? draft, text, files: composer?.take() ?? [], at: new Date().toISOString() };
    if (state.problem) set({ problem: undefined });
    setLog(events.waiting(log, message));
    box.add(message);
  }

  function fresh(): void {
    store.update(() => ({ current: undefined }));
    show(undefined);
    tabs.tell({ kind: "open" } satisfies News);
  }

  /** Asks something of the open conversation. */
  const ask = (what: string, body: unknown, undo?: () => void) =>
    act(async () => {
      const id = await ensure();
      await server.post(`${path(id)}/${what}`, body, token(id));
    }, undo);

  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onEvent(listener) {
      eventListeners.add(listener);
      return () => eventListeners.delete(listener);
    },
    start,
    visible(on) {
      visible = on;
      if (on) mark();
      if (on && begun) void lookAround();
    },

    send: say,
    resend(key) {
      const message = store.read().outbox.find((m) => m.key === key);
      if (!message) return;
      setLog(events.waiting(log, { ...message, error: undefined }));
      box.again(key);
    },
    discard(key) {
      box.drop(key);
      setLog(events.discarded(log, key));
    },
    stop() {
      if (log.thread.id) void ask("stop", {});
    },
    retry: (turn) => void ask("retry", { turn }),
    person(reason) {
      if (allowed()) void ask("handoff", reason ? { reason } : {});
    },
    end() {
      if (log.thread.id) void ask("close", {});
    },
    typing(text) {
      if (text === "") composing.stop();
      else composing.key();
    },
    rate(turn, rating, more = {}) {
      const item = log.thread.items.findLast((i) => i.type === "answer" && i.turn === turn);
      const before = item?.type === "answer" ? item.rating : undefined;
      setLog(events.rated(log, turn, rating));
      void ask("feedback", { turn, rating, ...more }, () => setLog(events.rated(log, turn, before)));
    },
    csat(score, text) {
      const before = log.thread.csat;
      setThread({ csat: "given" });
      void ask("csat", { score, ...(text && { text }) }, () => setThread({ csat: before }));
    },
    skipCsat() {
      setThread({ csat: "skipped" });
      if (log.thread.id) keep(log.thread.id, { skipped: true });
      leave();
    },
    consent() {
      const { settings } = state;
      if (!settings) return;
      store.update(() => ({ consent: { version: settings.disclosure.version, locale: settings.locale, at: new Date().toISOString() } }));
      tabs.tell({ kind: "consent" } satisfies News);
      proceed();
    },
    dismiss: () => set({ problem: undefined }),
    dismissNotice(id) {
      store.update(({ dismissed = [] }) => ({ dismissed: [...dismissed, id].slice(-50) }));
      tell();
    },

    upload(file) {
      if (allowed() && !log.thread.ended) void act(() => upload(file));
    },
    cancelUpload: (key) => composer?.cancel(key),
    retryUpload: (key) => composer?.again(key),
    fileURL(file) {
      const { id } = log.thread;
      if (!id) return Promise.reject(new Error("there is no conversation"));
      let url = fileURLs.get(file);
      if (!url) {
        url = server.blob(`${path(id)}/files/${encodeURIComponent(file)}`, token(id)).then(env.objectURL);
        fileURLs.set(file, url);
        url.catch(() => fileURLs.delete(file));
      }
      return url;
    },

    fresh,
    open(id) {
      if (id === log.thread.id) return;
      const known = state.list.entries.find((e) => e.id === id);
      if (!known) return;
      keepNew(id, { ...known, unread: 0 });
      store.update(() => ({ current: id }));
      show(id);
      tabs.tell({ kind: "open", id } satisfies News);
    },
    loadList: (more = false) => void loadList(more),

    identify(given) {
      identify(given);
      void linkAnonymous();
    },
    logout,
    setContext: (given) => (context = { ...context, ...given }),
    setLocale(wanted) {
      locale = wanted;
      spoken = speak(wanted);
      if (begun) void loadSettings().then((there) => there && proceed());
    },
    destroy() {
      composing.stop();
      ended.abort();
      following.abort();
      tabs.close();
      composer?.clear();
      dropFiles();
      for (const timer of [typingTimer, queueTimer, readTimer, newsTimer]) clearTimeout(timer);
      listeners.clear();
      eventListeners.clear();
    },
  };
}

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
}

const newDraft = (): string => `draft:${newKey()}`;

const newest = (a: { at: string }, b: { at: string }): number => b.at.localeCompare(a.at);

function excerpt(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length <= 100 ? line : `${line.slice(0, 99).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** The words at the start of an answer without its Markdown, for a line of a list. */
function unmarked(text: string): string {
  return text
    .slice(0, 400)
    .replace(/^[|:\- ]+$| ?\[\d{1,4}\]|^\s*(?:#{1,6}|>|[-+]) /gm, "")
    .replace(/\[([^\]\n]*)\]\([^)\s]*\)/g, "$1")
    .replace(/[*`|]+/g, " ");
}

function textOf(item: Item): string {
  if (item.type === "answer") return unmarked(item.text);
  return "text" in item ? item.text || ("files" in item ? (item.files[0]?.name ?? "") : "") : "";
}

function timeOf(item: Item): string {
  return "at" in item ? item.at : "";
}

