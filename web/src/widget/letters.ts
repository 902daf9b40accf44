// What the host page's side and the frame write to each other in iframe mode. Each letter
// is for one origin, and only one from that origin and that window is read.

import type { EventName, Settings } from "./contract.ts";

/** To the frame. */
export type Inward =
  | { answerable: 1; start: Omit<Settings, "container">; look: Record<string, string> }
  | { answerable: 1; shown: boolean }
  | { answerable: 1; call: string; args: readonly unknown[] };

/** To the host page. */
export type Outward =
  | { answerable: 1; hello: true } // it listens: start may be sent
  | { answerable: 1; close: true }
  | { answerable: 1; open: true }
  | { answerable: 1; off: true } // the assistant is switched off
  | { answerable: 1; title: string; label: string; unread: number }
  | { answerable: 1; event: EventName; detail: unknown };

/** A letter at all? What else arrives is between other people. */
export function isLetter(data: unknown): data is { answerable: 1 } {
  return typeof data === "object" && data !== null && (data as { answerable?: unknown }).answerable === 1;
}
