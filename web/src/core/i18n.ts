// Words, numbers and dates in the visitor's language. Catalogues are flat JSON files in
// strings/; English is part of the bundle and stands in for what another one lacks.

import en from "../../strings/en.json";

type Stem<K> = K extends `${infer S}.${"zero" | "one" | "two" | "few" | "many" | "other"}` ? S : K;

/** A key of the catalogue; of a plural ("thread.new.one", "thread.new.other") the part that
 * its forms share. */
export type Key = Stem<keyof typeof en>;

export type Catalogue = { [key: string]: string };

/** What components get as `t`. */
export interface T {
  /** The text of key with its {name} placeholders filled in. The number `n` also chooses
   * the plural form. */
  (key: Key, values?: Record<string, string | number>): string;
  readonly locale: string;
  readonly dir: "ltr" | "rtl";
  number(n: number): string;
  /** 14:05 */
  time(at: string | number | Date): string;
  /** today, yesterday, Monday, 3 May, 3 May 2025: for separators between days. */
  day(at: string | number | Date, now?: number): string;
  /** today 14:05, 3 May 14:05 */
  moment(at: string | number | Date, now?: number): string;
  /** just now, 5 minutes ago, 3 hours ago, yesterday, 3 May: for lists. */
  ago(at: string | number | Date, now?: number): string;
  /** about 5 minutes: a length of time in words. */
  duration(ms: number): string;
  /** 1.2 MB */
  bytes(n: number): string;
  list(items: string[], type?: "conjunction" | "disjunction"): string;
}
