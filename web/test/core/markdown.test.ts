import { test } from "node:test";
import assert from "node:assert/strict";
import { blocks, type Block, type Doc } from "../../src/core/markdown.ts";
import { plain, type Inline } from "../../src/core/inline.ts";
import { random } from "./random.ts";

const options = { marks: new Set([1, 2, 12]), images: ["https://cdn.example"] };
const read = (text: string) => blocks(text, options).blocks;
const words = (text: string): Inline[] => {
  const [first] = read(text);
  assert.equal(first?.type, "paragraph");
  return (first as { children: Inline[] }).children;
};

// shape writes a tree in one line: what a test expects is then easy to read.
function shape(list: readonly Block[]): string {
  return list.map(one).join(" ");
  function one(b: Block): string {
    switch (b.type) {
      case "paragraph":
        return `p(${text(b.children)})`;
      case "heading":
        return `h${b.level}(${text(b.children)})`;
      case "code":
        return `pre${b.lang && `:${b.lang}`}(${b.text})`;
      case "list":
        return `${b.ordered ? `ol${b.start}` : "ul"}(${b.items.map((item) => shape(item)).join(", ")})`;
      case "quote":
        return `q(${shape(b.children)})`;
      case "table":
        return `table[${b.align.map((a) => a ?? "-").join(" ")}](${[b.head, ...b.rows].map((row) => row.map(text).join("|")).join(" / ")})`;
      case "rule":
        return "hr";
    }
  }
  function text(nodes: Inline[]): string {
    return nodes
      .map((n) => {
        switch (n.type) {
          case "text":
            return n.text;
          case "code":
            return `\`${n.text}\``;
          case "mark":
            return `^${n.n}`;
          case "break":
            return "⏎";
          case "image":
            return `img(${n.src} ${n.alt})`;
          case "link":
            return `a(${n.href} ${text(n.children)}${n.host === undefined ? "" : ` !${n.host}`})`;
          default:
            return `${{ strong: "b", em: "i", del: "s" }[n.type]}(${text(n.children)})`;
        }
      })
      .join("");
  }
}

const cases: [string, string][] = [
  ["Hello\nthere\n\nfriend", "p(Hello⏎there) p(friend)"],
  ["a **b *c*** d", "p(a b(b i(c)) d)"],
  ["***x*** ~~y~~ ~z~", "p(i(b(x)) s(y) ~z~)"],
  ["snake_case_name and 2 * 3 * 4 and 5*4", "p(snake_case_name and 2 * 3 * 4 and 5*4)"],
  ["**open and *closed*", "p(**open and i(closed))"],
  ["`` a`b `` and `open", "p(`a`b` and `open)"],
  ["\\*no\\* &amp; &lt;b&gt; &unknown; <b>x</b>", "p(*no* & <b> &unknown; <b>x</b>)"],
  ["one<br>two<br/>three", "p(one⏎two⏎three)"],
  ["# Title #\ntext\n\n## C#", "h1(Title) p(text) h2(C#)"],
  ["#hash is text", "p(#hash is text)"],
  ["```js\nlet a = `b`;\n\n```\nafter", "pre:js(let a = `b`;\n) p(after)"],
  ["~~~\nopen", "pre(open)"],
  ["- a\n- b\n  - c\n\n    d\n* e", "ul(p(a), p(b) ul(p(c) p(d))) ul(p(e))"],
  ["3. three\n4. four\n\n5. five", "ol3(p(three), p(four), p(five))"],
  ["1. one\n  - inner\nlazy", "ol1(p(one) ul(p(inner⏎lazy)))"],
  ["Steps:\n1. one\n2. two", "p(Steps:) ol1(p(one), p(two))"],
  ["Founded in\n1998. And then", "p(Founded in⏎1998. And then)"],
  ["  - a\n  - b", "ul(p(a), p(b))"],
  ["- a\n\n\n- b\n\ntext", "ul(p(a), p(b)) p(text)"],
  ["> a\n> > b\nc", "q(p(a) q(p(b))) p(c)"],
  ["---\n***\n_ _ _", "hr hr hr"],
  ["| a | b |\n|:--|--:|\n| 1 \\| 2 | **3** |\n| 4 |\n\nx", "table[start end](a|b / 1 | 2|b(3) / 4) p(x)"],
  ["a | b\n--- | :-:\n1 | 2", "table[- center](a|b / 1|2)"],
  ["| a | b |\n|---|\nx", "p(| a | b |⏎|---|⏎x)"],
  ["See this. [1] And that. [2][12]", "p(See this. ^1 And that. ^2^12)"],
  ["No such [7], nor [0], nor [01]", "p(No such [7], nor [0], nor [01])"],
  ["[shop](https://shop.example/a_(b) \"title\") x", "p(a(https://shop.example/a_(b) shop) x)"],
  ["[**b** [1]](https://shop.example)", "p(a(https://shop.example/ b(b) [1]))"],
  ["[run](javascript:alert(1)) [d](data:text/html,x) [r](/path) [v]( vbscript:x)", "p(run d r v)"],
  ["[x](JaVaScRiPt:alert(1)) [y](java\tscript:alert)", "p(x [y](java\tscript:alert))"],
  ["go to https://shop.example/a?b=c. Or (https://shop.example/x)!", "p(go to a(https://shop.example/a?b=c https://shop.example/a?b=c). Or (a(https://shop.example/x https://shop.example/x))!)"],
  ["<https://shop.example> <mailto:a@b.example> <script>", "p(a(https://shop.example/ https://shop.example) a(mailto:a@b.example a@b.example) <script>)"],
  ["write to help_desk@shop.example, or a@b", "p(write to a(mailto:help_desk@shop.example help_desk@shop.example), or a@b)"],
  ["![logo](https://cdn.example/a.png) ![pixel](https://evil.example/a.png) ![p](http://cdn.example/a)", "p(img(https://cdn.example/a.png logo) pixel p)"],
  ["[bank.example](https://evil.example)", "p(a(https://evil.example/ bank.example !evil.example))"],
  ["[https://bank.example/login](https://bank.example.evil.example/)", "p(a(https://bank.example.evil.example/ https://bank.example/login !bank.example.evil.example))"],
  ["[www.bank.example/x](https://bank.example/y) [here](https://any.example)", "p(a(https://bank.example/y www.bank.example/x) a(https://any.example/ here))"],
  ["[bank](https://bank.example@evil.example/)", "p(a(https://bank.example@evil.example/ bank !evil.example))"],
  ["[bank.example](https://bаnk.example)", "p(a(https://xn--bnk-6cd.example/ bank.example !xn--bnk-6cd.example))"],
  ["[bank\u200B.exa\u2060mple](https://evil.example)", "p(a(https://evil.example/ bank.example !evil.example))"],
  ["a\u202Egnp.exe\u202C \u2066b\u2069", "p(agnp.exe b)"],
  ["[0800 123456](tel:+99900900900) [+49 800 123456](tel:+49800123456)", "p(a(tel:+99900900900 0800 123456 !+99900900900) a(tel:+49800123456 +49 800 123456))"],
  ["", ""],
];

for (const [text, want] of cases) {
  test(`reads ${JSON.stringify(text)}`, () => assert.equal(shape(read(text)), want));
}

const growing: [string, string][] = [
  ["a **bold", "p(a b(bold))"],
  ["a **bold*", "p(a b(bold))"],
  ["a ***both", "p(a i(b(both)))"],
  ["a *", "p(a )"],
  ["5*4 is", "p(5*4 is)"],
  ["see [the sho", "p(see )"],
  ["see [the shop]", "p(see )"],
  ["see [the shop](https://sh", "p(see )"],
  ["see. [1", "p(see. )"],
  ["see. [1]", "p(see. ^1)"],
  ["see ![a pict", "p(see )"],
  ["use `npm in", "p(use `npm in`)"],
  ["use ``npm `", "p(use `npm `)"],
  ["at https://shop.exam", "p(at https://shop.exam)"],
  ["ask a@shop.exam", "p(ask a@shop.exam)"],
  ["a &am", "p(a )"],
  ["a <b", "p(a )"],
  ["a\n\n-", "p(a)"],
  ["a\n\n##", "p(a)"],
  ["a\n\n12.", "p(a)"],
  ["a\n\n``", "p(a)"],
  ["a\n\n```p", "p(a)"],
  ["a\n\n```p\n", "p(a) pre:p()"],
  ["a\n\nb !", "p(a) p(b )"],
  ["a!", "p(a!)"],
  ["```py\nx\n``", "pre:py(x)"],
  ["a\n\n| b | c", "p(a)"],
  ["a\n\n| b | c |\n|--", "p(a)"],
  ["a\n\n| b | c |\n|--|--|", "p(a)"],
  ["a\n\n| b | c |\n|--|--|\n| **d", "p(a) table[- -](b|c / b(d))"],
  ["- a\n- **b", "ul(p(a), p(b(b)))"],
  ["**a\n", "p(b(a))"],
];

for (const [text, want] of growing) {
  test(`reads ${JSON.stringify(text)} while it grows`, () => assert.equal(shape(blocks(text, options, true).blocks), want));
}

const answer = `# Returns

You can **send things back** within *30 days*. [1] Write to help@shop.example or see [our page](https://shop.example/returns "Returns").

1. Pack it
2. Print the \`label\`:
   - for **letters**
   - for ~~boxes~~ parcels

| Country | Price |
|---|--:|
| Germany | 3 € |
| France | **4 €** [2] |

\`\`\`sh
curl https://shop.example -d '| a | b |'
# not a heading
\`\`\`

> Quoted *words*
> in two lines

---
Last line ![logo](https://cdn.example/a.png)
`;

test("text that grows by one character at a time ends in the tree of the whole, and shows no signs", () => {
  const whole = blocks(answer, options);
  const all = visibleText(whole.blocks);
  let doc: Doc | undefined;
  for (let n = 0; n <= answer.length; n++) {
    const next: Doc = blocks(answer.slice(0, n), options, true, doc);
    const seen = visibleText(next.blocks);
    assert.ok(all.startsWith(seen.trimEnd()), `after ${JSON.stringify(answer.slice(0, n))} one sees ${JSON.stringify(seen)}`);
    doc = next;
  }
  assert.deepEqual(blocks(answer, options, false, doc).blocks, whole.blocks);
});

// visibleText is what a reader sees, without the space between blocks and cells.
function visibleText(list: readonly Block[]): string {
  return list
    .map((b): string => {
      switch (b.type) {
        case "paragraph":
        case "heading":
          return plain(b.children);
        case "code":
          return b.text;
        case "list":
          return b.items.map(visibleText).join("");
        case "quote":
          return visibleText(b.children);
        case "table":
          return [b.head, ...b.rows].flat().map(plain).join("");
        case "rule":
          return "";
      }
    })
    .join("")
    .replace(/\s/g, "");
}

test("finished blocks, items and rows stay the same objects", () => {
  let doc: Doc | undefined;
  let kept = 0;
  for (let n = 0; n <= answer.length; n++) {
    const next: Doc = blocks(answer.slice(0, n), options, true, doc);
    for (let i = 0; doc && i < doc.settled; i++) assert.equal(next.blocks[i], doc.blocks[i], `block ${i} after ${n} characters`);
    kept = Math.max(kept, next.settled);
    doc = next;
  }
  assert.equal(kept, doc!.blocks.length - 1);

  const one = blocks("- a\n- b\n- c", options, true);
  const two = blocks("- a\n- b\n- cd", options, true, one);
  const items = (d: Doc) => (d.blocks[0] as { items: Block[][] }).items;
  assert.equal(items(two)[1], items(one)[1]);
  const head = "| a |\n|---|\n| 1 |\n| 2";
  const three = blocks(head, options, true);
  const four = blocks(head + "3", options, true, three);
  const rows = (d: Doc) => (d.blocks[0] as { rows: Inline[][][] }).rows;
  assert.equal(rows(four)[0], rows(three)[0]);
});

test("text that is no longer what it was is read anew", () => {
  const first = blocks("one\n\ntwo\n\nthree", options, true);
  assert.equal(shape(blocks("uno\n\ndos", options, true, first).blocks), "p(uno) p(dos)");
});

test("random text is read without an error, and growing does not change what comes of it", () => {
  const signs = ["*", "**", "_", "`", "```", "~~", "[", "]", "(", ")", "!", "|", "-", "#", ">", "1.", "\n", "\n\n", "  ", "    ", "\t", "\\", "<", ">", "&amp;", ":", "https://a.example", "a@b.example", "word", "[1]", "|---|", "\u202E", "é", "😀", "\r\n"];
  for (let seed = 1; seed <= 600; seed++) {
    const next = random(seed);
    const pieces = Array.from({ length: 1 + next(60) }, () => signs[next(signs.length)]!);
    const text = pieces.join("");
    let doc: Doc | undefined;
    for (let n = 1; n <= text.length; n += 1 + next(4)) doc = blocks(text.slice(0, n), options, true, doc);
    const grown = blocks(text, options, false, doc);
    assert.deepEqual(grown.blocks, read(text), `seed ${seed}: ${JSON.stringify(text)}`);
    assertSafe(grown.blocks);
  }
});

function assertSafe(list: readonly Block[]): void {
  const json = JSON.stringify(list);
  for (const [, address] of json.matchAll(/"(?:href|src)":"([^"]*)"/g)) assert.match(address!, /^(?:https?:\/\/|mailto:|tel:)/);
  assert.doesNotMatch(json, /[\u202A-\u202E\u2066-\u2069]/);
}

test("a link does not hold links", () => {
  const [outer] = words("[a [b](https://in.example) https://auto.example](https://out.example)");
  assert.equal(outer?.type, "link");
  assert.ok((outer as { children: Inline[] }).children.every((node) => node.type !== "link"));
});
