// How much work hostile Markdown makes, counted by the engine: how often each block of the
// readers' code ran. Unlike times, counts are the same on every machine.

import { Session } from "node:inspector/promises";
import { test } from "node:test";
import assert from "node:assert/strict";
import { blocks, type Doc } from "../../src/core/markdown.ts";

const options = { marks: new Set([1]), images: ["https://cdn.example"] };

async function steps(act: () => void): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  act();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  session.disconnect();
  const ours = result.filter((script) => script.url.includes("/.test-"));
  return ours.flatMap((script) => script.functions).flatMap((f) => f.ranges).reduce((n, range) => n + range.count, 0);
}

const hostile: Record<string, (n: number) => string> = {
  brackets: (n) => "[".repeat(n),
  "closed brackets": (n) => "[".repeat(n / 2) + "]".repeat(n / 2),
  "half links": (n) => "[a](".repeat(n / 4),
  "half pictures": (n) => "![a](b ".repeat(n / 7),
  "links in links": (n) => "[a ".repeat(n / 8) + "](b) ".repeat(n / 8),
  stars: (n) => "*a ".repeat(n / 3),
  "stars that close": (n) => "**a* ".repeat(n / 5),
  "mixed emphasis": (n) => "*_~~a".repeat(n / 5),
  "long runs": (n) => "*".repeat(n) + "a" + "*".repeat(n),
  backticks: (n) => Array.from({ length: Math.sqrt(n) }, (_, i) => "`".repeat(i + 1)).join("a"),
  "one backtick and many": (n) => "`x" + "`".repeat(n) + "y",
  quotes: (n) => ">".repeat(n),
  "quoted lines": (n) => "> > > a\n".repeat(n / 8),
  "nested lists": (n) => Array.from({ length: Math.sqrt(n) }, (_, i) => `${" ".repeat(i * 2)}- a`).join("\n"),
  "lists in a line": (n) => "- ".repeat(n / 2),
  "blank lines in a list": (n) => "- a\n" + "\n".repeat(n) + "- b",
  rules: (n) => "- ".repeat(n / 2) + "x",
  "a wide table": (n) => `${"|a".repeat(n / 6)}|\n${"|-".repeat(n / 6)}|\n${"|\n".repeat(n / 6)}`,
  "a long table": (n) => `|a|b|\n|-|-|\n${"|1|2|\n".repeat(n / 6)}`,
  "no table": (n) => "|a|\n|-|-|\n".repeat(n / 10),
  dashes: (n) => `a|b\n${"-".repeat(n)}x`,
  pipes: (n) => "|".repeat(n),
  addresses: (n) => "https://a.example ".repeat(n / 18),
  "one address": (n) => `https://${"a.".repeat(n / 2)}`,
  mailboxes: (n) => "a@".repeat(n / 2),
  "dots before an at": (n) => `${"a.".repeat(n / 2)}@`,
  tags: (n) => "<a".repeat(n / 2),
  entities: (n) => "&".repeat(n),
  spaces: (n) => `#${" ".repeat(n)}x`,
  "fences of tildes": (n) => "~".repeat(n) + "`",
  fences: (n) => "```\n".repeat(n / 4),
  backslashes: (n) => "\\".repeat(n),
  "combining marks": (n) => "e" + "\u0301".repeat(n),
};

for (const [name, make] of Object.entries(hostile)) {
  test(`the work of ${name} grows with the text, not with its square`, async () => {
    const text = make(20_000);
    for (const growing of [false, true]) {
      const work = await steps(() => blocks(text, options, growing));
      assert.ok(work < 20 * text.length, `${work} steps for ${text.length} characters`);
    }
  });
}

test("an answer of many blocks is read once, not once per word", async () => {
  const block = "A paragraph with **bold** words and a [link](https://a.example).\n\n- one\n- two\n\n";
  const read = (blocksOfText: number) =>
    steps(() => {
      const text = block.repeat(blocksOfText);
      let doc: Doc | undefined;
      for (let n = 0; n <= text.length; n += 8) doc = blocks(text.slice(0, n), options, true, doc);
    });
  const small = await read(10);
  const big = await read(40);
  assert.ok(big < 6 * small, `${small} steps for 10 blocks, ${big} for 40`);
});
