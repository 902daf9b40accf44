import { words, type T } from "./i18n.ts";

/** The words for the locale, asked for until they come: without them hardly anything can be
 * said. `failed` is told of each attempt, with what makes the next one at once. Ends with
 * the signal. */
export async function patiently(locale: string, signal: AbortSignal, failed: (again: () => void) => void = () => {}, load = words): Promise<T> {
  for (let wait = 500; ; wait = Math.min(8_000, wait * 2)) {
    try {
      return await load(locale);
    } catch (err) {
      if (signal.aborted) throw err;
      await new Promise<void>((again) => {
        setTimeout(again, wait);
        failed(again);
      });
    }
  }
}
