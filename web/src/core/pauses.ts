import type { Times } from "./env.ts";

/** Pauses before another attempt, which end early when something speaks for trying now: the
 * network is back, or nobody waits any more. */
export interface Pauses {
  /** To be asked for before an attempt: what happens during it counts as well. */
  mark(): number;
  pause(ms: number, mark: number): Promise<void>;
  wake(): void;
}

/** How long to wait after some failures in a row: longer each time, and not less than the
 * server asks for. Many clients of one server do not come back as one. */
export function backOff({ retryMin, retryMax }: Times, failures: number, retryAfter = 0): number {
  return Math.max(retryAfter, Math.min(retryMax, retryMin * 2 ** failures)) * (1 + Math.random() / 4);
}

export function pauses(): Pauses {
  const waiting = new Set<() => void>();
  let woken = 0;
  return {
    mark: () => woken,
    async pause(ms, mark) {
      if (mark !== woken) return;
      await new Promise<void>((resolve) => {
        const end = () => {
          clearTimeout(timer);
          waiting.delete(end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        waiting.add(end);
      });
    },
    wake() {
      woken++;
      for (const end of [...waiting]) end();
    },
  };
}
