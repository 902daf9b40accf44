import { words, type T } from "../core/i18n.ts";

/** The words for the locale, asked for until they come: without them nothing can be said,
 * not even that something went wrong. Ends with the signal. */
export async function patiently(locale: string, signal: AbortSignal, load = words): Promise<T> {
  for (let wait = 500; ; wait = Math.min(8_000, wait * 2)) {
    try {
      return await load(locale);
    } catch (err) {
      if (signal.aborted) throw err;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
