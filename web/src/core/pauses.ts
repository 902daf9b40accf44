/** Pauses before another attempt, which end early when something speaks for trying now: the
 * network is back, or nobody waits any more. */
export interface Pauses {
  /** To be asked for before an attempt: what happens during it counts as well. */
  mark(): number;
  pause(ms: number, mark: number): Promise<void>;
  wake(): void;
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
