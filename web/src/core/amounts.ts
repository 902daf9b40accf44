// Lengths of time, sizes and lists in the visitor's language, where they are seldom said.

import { daysBetween, type T } from "./i18n.ts";

/** just now, 5 minutes ago, 3 hours ago, yesterday, 3 May: for lists. */
export function ago(t: T, at: string | number | Date, now = Date.now()): string {
  const relative = new Intl.RelativeTimeFormat(t.locale, { numeric: "auto" });
  const then = new Date(at);
  const minutes = Math.floor((now - then.getTime()) / 60_000);
  if (minutes < 1) return relative.format(0, "second"); // also when the server's clock is ahead
  if (minutes < 60) return relative.format(-minutes, "minute");
  if (daysBetween(then, new Date(now)) === 0) return relative.format(-Math.floor(minutes / 60), "hour");
  return t.day(then, now);
}

/** 5 minutes: a length of time in words, at least a minute. */
export function duration(t: T, ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const [n, unit] = minutes < 60 ? [minutes, "minute"] : [Math.round(minutes / 60), "hour"];
  return new Intl.NumberFormat(t.locale, { style: "unit", unit, unitDisplay: "long" }).format(n);
}

/** 1.2 MB */
export function bytes(t: T, n: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1024;
  return new Intl.NumberFormat(t.locale, { style: "unit", unit: units[i], unitDisplay: i === 0 ? "long" : "short", maximumFractionDigits: n < 10 ? 1 : 0 }).format(n);
}

/** PNG, JPEG or PDF */
export function either(t: T, items: string[]): string {
  return new Intl.ListFormat(t.locale, { type: "disjunction" }).format(items);
}
