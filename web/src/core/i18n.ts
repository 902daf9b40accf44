// Words, numbers and dates in the visitor's language. Catalogues are flat JSON files, two for
// each language: strings/ has what most visits show, strings/later/ what goes with the
// second script (later/later.ts). A visitor loads those of one language.

import type en from "../../strings/en.json";
import type rarely from "../../strings/later/en.json";
import { withoutBidi } from "./bidi.ts";

// Their addresses by language; those of the rare ones are in the second script.
const first = byLanguage(import.meta.glob<string>("./*.json", { base: "../../strings/", query: "?url", import: "default", eager: true }));

/** Addresses by file, ./de.json, as addresses by language. */
export function byLanguage(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([file, url]) => [file.slice(2, -5), url]));
}

type Stem<K> = K extends `${infer S}.${"zero" | "one" | "two" | "few" | "many" | "other"}` ? S : K;

/** A key of the catalogue; of a plural ("thread.new.one", "thread.new.other") the part that
 * its forms share. */
export type Key = Stem<keyof typeof en | keyof typeof rarely>;

export type Catalogue = { [key: string]: string };

/** What components get as `t`. */
export interface T {
  /** The text of key with its {name} placeholders filled in. The number `n` also chooses
   * the plural form. */
  (key: Key, values?: Record<string, string | number>): string;
  readonly locale: string;
  readonly dir: "ltr" | "rtl";
  /** The rare words are there too. */
  complete(): boolean;
  number(n: number): string;
  /** 14:05 */
  time(at: string | number | Date): string;
  /** today, yesterday, tomorrow, Monday, 3 May, 3 May 2025. */
  day(at: string | number | Date, now?: number): string;
  /** today 14:05, 3 May 14:05 */
  moment(at: string | number | Date, now?: number): string;
}

/** The languages that have a catalogue. */
export const languages: readonly string[] = Object.keys(first);

/** The catalogue that serves a visitor best who asks for these locales, in their order:
 * pt-BR is served by pt, zh-Hant-TW by zh, what nothing serves by English. */
export function match(wanted: readonly string[], available: readonly string[] = languages): string {
  for (const tag of wanted) {
    const found = serving(tag, available);
    if (found) return found;
  }
  return "en";
}

function serving(tag: string, available: readonly string[]): string | undefined {
  for (let part = tag.toLowerCase().replaceAll("_", "-"); part; part = part.slice(0, Math.max(0, part.lastIndexOf("-")))) {
    const found = available.find((one) => one.toLowerCase() === (aliases[part] ?? part));
    if (found) return found;
  }
  return undefined;
}

/** Old and neighbouring codes of languages that have a catalogue. */
const aliases: Record<string, string> = { iw: "he", yue: "zh", cmn: "zh" };

/** The words for the locale; English ones where its catalogue cannot be had. Fails if those
 * cannot be had either. */
export async function words(locale: string, load: (language: string) => Promise<Catalogue> = (language) => fetched(first[language]!)): Promise<T> {
  const language = match([locale]);
  try {
    return translator(locale, await load(language), language);
  } catch (error) {
    if (language === "en") throw error;
    return translator("en", await load("en"));
  }
}

/** Adds to t what else there is in its language. */
export async function complete(t: T, rare: Record<string, string>): Promise<void> {
  if (t.complete()) return;
  const language = match([t.locale]);
  const [all, more] = await Promise.all([fetched(first[language]!), fetched(rare[language]!)]);
  Object.assign(all, more);
}

const asked = new Map<string, Promise<Catalogue>>();

/** Loads a catalogue once: it is the same object for all who speak the language. */
function fetched(url: string): Promise<Catalogue> {
  const before = asked.get(url);
  if (before) return before;
  const loading = fetch(url).then((response) => {
    if (!response.ok) throw new Error(`${url}: status ${response.status}`);
    return response.json() as Promise<Catalogue>;
  });
  asked.set(url, loading);
  loading.catch(() => asked.delete(url));
  return loading;
}

/** The words of one catalogue. Dates and numbers follow the whole locale (pt-BR), if it is
 * of the catalogue's language. A key that a catalogue of another release lacks is shown by
 * its last part. */
export function translator(locale: string, catalogue: Catalogue, language = "en"): T {
  locale = serving(locale, [language]) ? known(locale, language) : language;
  const rules = new Intl.PluralRules(language);
  const dir = /^(ar|he|fa|ur)\b/.test(language) ? "rtl" : "ltr";
  const numbers = new Intl.NumberFormat(locale);
  const dates = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, options);
    return (at: Date) => (Number.isNaN(at.getTime()) ? "" : format.format(at));
  };
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const clock = dates({ hour: "numeric", minute: "2-digit" });
  const weekday = dates({ weekday: "long" });
  const date = dates({ day: "numeric", month: "long" });
  const dateOfYear = dates({ day: "numeric", month: "long", year: "numeric" });

  const lookup = (key: string, n: string | number | undefined): string => {
    const found = catalogue[key] ?? (typeof n === "number" ? (catalogue[`${key}.${rules.select(n)}`] ?? catalogue[`${key}.other`]) : undefined);
    return found ?? key.slice(key.lastIndexOf(".") + 1);
  };
  const t = (key: Key, values: Record<string, string | number> = {}) =>
    lookup(key, values.n).replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return value === undefined ? whole : typeof value === "number" ? numbers.format(value) : isolate(value, dir);
    });
  const day = (at: Date, now: number): string => {
    const days = daysBetween(at, new Date(now));
    if (Math.abs(days) <= 1) return relative.format(-days, "day");
    if (Math.abs(days) < 7) return weekday(at);
    return (at.getFullYear() === new Date(now).getFullYear() ? date : dateOfYear)(at);
  };
  return Object.assign(t, {
    locale,
    dir,
    complete: () => "shell.end" in catalogue,
    number: (n: number) => numbers.format(n),
    time: (at: string | number | Date) => clock(new Date(at)),
    day: (at: string | number | Date, now = Date.now()) => day(new Date(at), now),
    moment: (at: string | number | Date, now = Date.now()) => `${day(new Date(at), now)} ${clock(new Date(at))}`.trim(),
  }) as T;
}

function known(locale: string, otherwise: string): string {
  try {
    return Intl.getCanonicalLocales(locale.replaceAll("_", "-"))[0] ?? otherwise;
  } catch {
    return otherwise; // not a locale
  }
}

/** Whole days of the calendar from one moment to the other, in the visitor's time zone. */
export function daysBetween(from: Date, to: Date): number {
  const day = (at: Date) => Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return Math.round((day(to) - day(from)) / 86_400_000);
}

/** A value such as a name keeps to itself: one of the other direction does not turn the
 * sentence around. */
function isolate(value: string, dir: "ltr" | "rtl"): string {
  const other = dir === "ltr" ? /[\p{Script=Hebrew}\p{Script=Arabic}]/u : /\p{Script=Latin}/u;
  const plain = withoutBidi(value);
  return other.test(plain) ? `\u2068${plain}\u2069` : plain;
}

/** What can be said without a catalogue. */
export const wordless: T = translator("en", {
  "shell.close": "Close chat",
  "shell.failed": "The chat cannot be reached",
  "shell.try_again": "Try again",
});
