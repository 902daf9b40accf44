import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, mix, parse, readable, type Colour } from "../../src/shell/theme.ts";

const hex = (text: string): Colour => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16) / 255) as Colour;
const light = [hex("#f6f8f7"), hex("#ffffff")];
const dark = [hex("#101413"), hex("#181e1c")];

test("contrast is that of WCAG 2.2", () => {
  assert.equal(contrast(hex("#000000"), hex("#ffffff")), 21);
  assert.ok(Math.abs(contrast(hex("#777777"), hex("#ffffff")) - 4.48) < 0.01);
});

test("an accent that can be read stays as it is", () => {
  assert.deepEqual(readable(hex("#0b6e63"), light), hex("#0b6e63"));
  assert.deepEqual(readable(hex("#63d2c2"), dark), hex("#63d2c2"));
});

test("any accent can be read on any ground, also where it tints that ground", () => {
  const steps = ["00", "33", "66", "99", "cc", "ff"];
  for (const grounds of [light, dark]) {
    for (const r of steps) for (const g of steps) for (const b of steps) {
      const colour = readable(hex(`#${r}${g}${b}`), grounds);
      for (const ground of grounds) {
        assert.ok(contrast(colour, ground) >= 4.5, `#${r}${g}${b} on ${ground}`);
        assert.ok(contrast(colour, mix(ground, colour, 0.11)) >= 4.5, `#${r}${g}${b} on ${ground}, tinted`);
      }
    }
  }
});

test("computed colours are read in both spellings", () => {
  assert.deepEqual(parse("rgb(255, 0, 51)"), [1, 0, 0.2]);
  assert.deepEqual(parse("color(srgb 0.5 0.25 1 / 0.5)"), [0.5, 0.25, 1]);
  assert.equal(parse("oklch(0.5 0.1 20)"), undefined);
  assert.equal(parse(""), undefined);
});
