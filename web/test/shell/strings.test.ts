import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

// Tests run from the folder web.
const folder = path.resolve("strings");
const readOne = (file: string) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as Record<string, string>;
const read = (file: string) => ({ ...readOne(file), ...readOne(`later/${file}`) });
const en = read("en.json");
const languages = readdirSync(folder).filter((file) => file.endsWith(".json")).map((file) => file.replace(".json", ""));

const form = /\.(zero|one|two|few|many|other)$/;
const isPlural = (key: string) => form.test(key) && `${key.replace(form, "")}.other` in en;
const stem = (key: string) => key.replace(form, "");
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("there are catalogues for these languages", () => {
  assert.deepEqual(languages.sort(), ["ar", "de", "en", "es", "fr", "he", "it", "ja", "nl", "pl", "pt", "tr", "zh"]);
});

test("each text is in the same one of the two catalogues in every language", () => {
  const stems = (file: string) => [...new Set(Object.keys(readOne(file)).map(stem))].sort();
  for (const language of languages) {
    assert.deepEqual(stems(`${language}.json`), stems("en.json"), language);
    assert.deepEqual(stems(`later/${language}.json`), stems("later/en.json"), language);
  }
});

for (const language of languages) {
  test(`${language} has each text, each form of a plural that its grammar has, and the same placeholders`, () => {
    const catalogue = read(`${language}.json`);
    const rules = new Intl.PluralRules(language);
    // "many" of the Romance languages is for millions, and reads as "other".
    const forms = new Set(Array.from({ length: 1000 }, (_, n) => rules.select(n)).concat("other"));
    const wanted = Object.keys(en).flatMap((key) => (!isPlural(key) ? [key] : key.endsWith(".other") ? [...forms].map((f) => `${stem(key)}.${f}`) : []));
    assert.deepEqual(Object.keys(catalogue).sort(), wanted.sort());
    for (const [key, text] of Object.entries(catalogue)) {
      assert.notEqual(text.trim(), "", key);
      assert.equal(text, text.trim(), key);
      const english = placeholders(en[key] ?? en[`${stem(key)}.other`]!);
      // "one" and "two" may be words.
      const own = placeholders(text);
      const exact = isPlural(`${stem(key)}.other`) && /\.(zero|one|two)$/.test(key);
      assert.deepEqual(exact ? own.filter((name) => name !== "n") : own, exact ? english.filter((name) => name !== "n") : english, `${key}: ${text}`);
    }
  });
}

test("a translation is not the English text left standing", () => {
  // Words that are the same in both, or names.
  const same = new Set(["{name}: {text}"]);
  for (const language of languages.filter((l) => l !== "en")) {
    const left = Object.entries(read(`${language}.json`)).filter(([key, text]) => text === en[key] && text.length > 14 && !same.has(text));
    assert.deepEqual(left, [], language);
  }
});
