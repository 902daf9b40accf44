// What the core shows to whoever draws it, and what may be asked of it. The core knows no
// framework and no DOM beyond fetch, storage and channels; page, widget and console draw
// State and call Chat.

import type { Citation, File, Level, Outcome, WidgetSettings, FormFields } from "./protocol.gen.ts";

export type { Citation, File, Level, Outcome, WidgetSettings };

/** What the company tells everybody for a time. */
export type Notice = NonNullable<WidgetSettings["notices"]>[number];

/** Who speaks for the company now. */
export interface Owner {
  kind: "bot" | "queue" | "agent";
  name?: string;
}

/** One entry of the log. Entries are replaced, never changed: the same object means that
 * nothing in it is new. `key` is stable for the life of the page, also when a message that
 * was sent becomes one that was accepted. */
export type Item = CustomerItem | AnswerItem | AgentItem | LineItem | ChoicesItem | FormItem;

export interface CustomerItem {
  type: "customer";
  key: string; // its client_id where it has one
  text: string;
  at: string; // RFC 3339; of the client until it was accepted
  /** sending: on its way or waiting for the network; failed: "not sent, try again". */
  state: "sending" | "sent" | "failed";
  error?: string; // why it failed, in words for the customer
  /** While it is sending: the server has put it off; why, and when it is tried again. */
  waits?: { text: string; until: number };
  seq?: number; // once accepted
  turn?: string;
  files: File[];
}

export interface AnswerItem {
  type: "answer";
  key: string;
  turn: string;
  text: string; // Markdown with marks "[n]"; all text since the last retract
  citations: Citation[];
  running: boolean;
  outcome?: Outcome;
  /** What is happening while nothing is shown, such as the title of a tool that runs. */
  activity?: string;
  startedAt: string;
  level: Level;
  levelReason?: string;
  rating?: "up" | "down";
  /** Another turn answers the same question again and stands in this one's place. */
  replacedBy?: string;
  retryOf?: string;
  seq: number; // of its last event
}

export interface AgentItem {
  type: "agent";
  key: string;
  name: string;
  text: string;
  at: string;
  seq: number;
  files: File[];
}

/** A line of the system: somebody joined, the conversation was closed. */
export interface LineItem {
  type: "line";
  key: string;
  at: string;
  seq: number;
  what: "asked_for_person" | "queued" | "joined" | "left" | "bot_back" | "closed" | "level";
  name?: string;
  reason?: string;
  level?: Level;
}

export interface ChoicesItem {
  type: "choices";
  key: string;
  seq: number;
  options: { label: string; text?: string }[];
  answered: boolean; // something was said after it
}

export interface FormItem {
  type: "form";
  key: string;
  seq: number;
  title?: string;
  fields: FormFields;
  answered: boolean;
}

/** How the connection to the server is. `reconnecting` only after 3 s without one: shorter
 * cuts are nobody's business. `polling` works, through a proxy that holds streams back. */
export type Link = "idle" | "connecting" | "live" | "polling" | "reconnecting" | "offline";

/** The conversation that is open. */
export interface Thread {
  /** Another one with each conversation that is shown; one that gets its id stays what it is. */
  key: string;
  id?: string; // undefined until the first message
  items: Item[];
  seq: number; // of the last event
  running?: string; // the turn that is being answered
  owner: Owner;
  ended: boolean;
  csat: "none" | "requested" | "given" | "skipped";
  /** An agent types, until a message of theirs or 5 s of silence. */
  typing?: { name?: string };
  /** The number up to which an agent has read. */
  readByAgent: number;
  /** While the owner is the queue, as far as the server tells. */
  queue?: { place?: number; expectedWaitMs?: number; since?: string };
  link: Link;
  /** Nothing is known yet: a stored conversation is being loaded. */
  loading: boolean;
  /** The customer has to agree before anything is sent. */
  consentNeeded: boolean;
  /** Messages of the company after the customer's last look. */
  unread: number;
}

/** One of the visitor's conversations in the list. */
export interface Entry {
  id: string;
  title: string;
  at: string;
  last: string;
  unread: number;
  ended: boolean;
}

export interface State {
  settings?: WidgetSettings; // undefined until loaded
  failed?: string; // the settings cannot be had: why, in words for the customer
  notices: Notice[]; // in force, and not dismissed here
  thread: Thread;
  list: { entries: Entry[]; loading: boolean; more: boolean; error?: string };
  customer?: { id: string; name?: string }; // signed in
  expired?: boolean; // the identity was refused: the host has to give another
  uploads: Upload[]; // in the composer
  unread: number; // over all conversations that are known
  problem?: { text: string; retryAt?: number }; // of the last act, until dismissed or the next act works
}

export interface Upload {
  key: string;
  name: string;
  type: string;
  bytes: number;
  state: "sending" | "ready" | "failed";
  sent: number; // bytes
  error?: string;
  retryAt?: number; // not before, if it failed
  file?: File;
  blob: Blob; // for the thumbnail
}

export type Reason = "wrong" | "incomplete" | "off_topic" | "hard_to_read" | "other";

export interface Options {
  base: string; // origin of the server, "" for the page's own
  assistant?: string;
  locale?: string; // the browser's by default
  accent?: string; // #rrggbb, in the place of the assistant's
  /** local (default): remembered for the next visit; session: until the tab closes. */
  storage?: "local" | "session";
  identity?: string;
  /** Goes on also where the assistant's widgets are switched off: a page of its own. */
  stays?: boolean;
  context?: Record<string, unknown>; // metadata of conversations that begin from now on
}

/** The customer's side of one mount. Methods do not throw and need not be awaited: what
 * comes of them is in State. Listeners are called at most once per animation frame with a
 * State whose unchanged parts are the same objects as before. */
export interface Chat {
  readonly state: State;
  subscribe(listener: (s: State) => void): () => void;
  /** Every event of the log as it is folded in, for the host page's own listeners. */
  onEvent(listener: (kind: string, item?: Item) => void): () => void;

  /** Loads settings and the stored conversation and follows it. Called once. */
  start(): Promise<void>;
  /** The panel can be seen: read receipts are sent while it can. */
  visible(on: boolean): void;

  send(text: string): void; // with the uploads that are ready
  resend(key: string): void;
  discard(key: string): void; // a message that failed or waits
  stop(): void;
  retry(turn: string): void;
  person(reason?: string): void; // not before the visitor has agreed
  end(): void;
  typing(text: string): void; // the composer's text changed; throttled inside
  rate(turn: string, rating: "up" | "down", more?: { reason?: Reason; text?: string }): void;
  csat(score: number, text?: string): void;
  skipCsat(): void;
  consent(): void;
  dismiss(): void; // the problem
  dismissNotice(id: string): void; // also for later visits

  upload(file: globalThis.File): void;
  cancelUpload(key: string): void;
  retryUpload(key: string): void; // one that failed
  /** The bytes of a file in the thread, as an object URL that the core owns. */
  fileURL(id: string): Promise<string>;

  fresh(): void; // a new conversation; the old one stays in the list
  open(id: string): void; // one of the list
  loadList(more?: boolean): void;

  identify(identity: string): void; // what was anonymous follows, once the visitor has agreed
  logout(): void; // forgets everything here, in every tab
  setContext(context: Record<string, unknown>): void;
  setLocale(locale: string): void;
  destroy(): void;
}
