import { test } from "node:test";
import assert from "node:assert/strict";
import { en } from "../words.ts";
import { ago, bytes, duration, either } from "../../src/core/amounts.ts";
import { match, translator, words, type Key } from "../../src/core/i18n.ts";
import { whoIs } from "../../src/core/identity.ts";

const key = (k: string) => k as Key;

test("the best catalogue for what is wanted", () => {
  const available = ["en", "pt", "zh", "he"];
  for (const [wanted, want] of [
    [["pt-BR"], "pt"],
    [["zh-Hant-TW"], "zh"],
    [["zh_CN"], "zh"],
    [["iw-IL"], "he"],
    [["xx", "PT"], "pt"],
    [["xx"], "en"],
    [[], "en"],
    [["not a locale", ""], "en"],
  ] as [string[], string][]) {
    assert.equal(match(wanted, available), want, wanted.join());
  }
});

test("plurals and placeholders; a key that is missing is shown by its last part", () => {
  const pl = translator("pl", { "x.one": "{n} plik", "x.few": "{n} pliki", "x.many": "{n} plików", "x.other": "{n} pliku", "y": "Cześć, {name}! {other}" }, "pl");
  assert.deepEqual([1, 2, 5, 1.5].map((n) => pl(key("x"), { n })), ["1 plik", "2 pliki", "5 plików", "1,5 pliku"]);
  assert.equal(pl(key("y"), { name: "Ola" }), "Cześć, Ola! {other}");
  assert.equal(pl("core.you"), "you");
  assert.equal(pl("shell.list_unread", { n: 2 }), "list_unread");
});

test("a name of the other direction keeps to itself", () => {
  const t = translator("en", en);
  assert.equal(t("core.joined", { name: "דנה" }), "\u2068דנה\u2069 joined");
  assert.equal(t("core.joined", { name: "\u202Eaim" }), "aim joined");
  const he = translator("he", { "core.joined": "{name} joined" }, "he");
  assert.equal(he.dir, "rtl");
  assert.equal(he("core.joined", { name: "Mia" }), "\u2068Mia\u2069 joined");
});

test("dates are said as people say them", () => {
  const t = translator("en-GB", {});
  const now = new Date(2026, 10, 21, 14, 30).getTime();
  const minutes = (n: number) => now - n * 60_000;
  assert.equal(t.moment(minutes(25), now), "today 14:05");
  assert.equal(t.day(minutes(24 * 60), now), "yesterday");
  assert.equal(t.day(minutes(3 * 24 * 60), now), "Wednesday");
  assert.equal(t.day(new Date(2026, 4, 3), now), "3 May");
  assert.equal(t.day(new Date(2025, 4, 3), now), "3 May 2025");
  assert.deepEqual([-5, 0, 5, 180, 24 * 60].map((n) => ago(t, minutes(n), now)), ["now", "now", "5 minutes ago", "3 hours ago", "yesterday"]);
  assert.equal(t.moment("not a date", now), "");
  assert.deepEqual([10_000, 290_000, 7_200_000].map((ms) => duration(t, ms)), ["1 minute", "5 minutes", "2 hours"]);
  assert.deepEqual([0, 999, 10_485_760, 1_300_000].map((n) => bytes(t, n)), ["0 bytes", "999 bytes", "10 MB", "1.2 MB"]);
  assert.equal(either(t, ["a", "b", "c"]), "a, b or c");
});

test("where a catalogue cannot be had, English is spoken; without that, nothing", async () => {
  const asked: string[] = [];
  const load = async (language: string) => {
    asked.push(language);
    if (language === "de") throw new Error("offline");
    return en;
  };
  const t = await words("de-AT", load);
  assert.equal(t.locale, "en");
  assert.equal(t("core.you"), "You");
  assert.equal((await words("en-AU", load)).locale, "en-AU");
  assert.deepEqual(asked, ["de", "en", "en"]);
  await assert.rejects(words("de", () => Promise.reject(new Error("offline"))), /offline/);
});

test("who an identity says one is", () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  assert.deepEqual(whoIs(`${part({ alg: "HS256" })}.${part({ sub: "42", name: "Zoë" })}.x`), { id: "42", name: "Zoë" });
  assert.deepEqual(whoIs(`hmac.${Buffer.from("ünal").toString("base64url")}.ab`), { id: "ünal" });
  for (const wrong of ["", "x", "a.b.c", `x.${part({})}.y`, `x.${part({ sub: 7 })}.y`]) assert.equal(whoIs(wrong), undefined, wrong);
});
