// The text within a block of Markdown: emphasis, code, links, pictures, marks.

import { visible, withoutBidi } from "./bidi.ts";

export type Inline =
  | { type: "text"; text: string }
  | { type: "strong" | "em" | "del"; children: Inline[] }
  | { type: "code"; text: string }
  /** `host` is there if the label looks like another address: it has to be shown. */
  | { type: "link"; href: string; children: Inline[]; host?: string }
  | { type: "image"; src: string; alt: string }
  | { type: "mark"; n: number }
  | { type: "break" };

export interface Options {
  /** The numbers n that are citations where they stand as [n]. */
  marks?: ReadonlySet<number>;
  /** Origins of which pictures are shown; of others the alternative text. */
  images?: readonly string[];
}

/** Reads the text of a paragraph, a heading or a cell. Open says that more may come: then
 * what has begun at its end is held back, or read as if it were complete. */
export function inline(text: string, options: Options, open: boolean): Inline[] {
  return new Line(withoutBidi(text), options, open, false).read();
}

/** A run of signs that may open emphasis: the place in `out` where its content begins. */
interface Opener {
  sign: string;
  length: number;
  at: number;
  optimistic: boolean; // closed at the end of text that grows
}

const maxOpen = 16; // emphasis in one another
const longestLabel = 120; // of a link, held back while it comes
const longestAddress = 2048;
const entities: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00A0" };

class Line {
  private readonly text: string;
  private out: Inline[] = [];
  private buffer = "";
  private i = 0;
  private readonly stack: Opener[] = [];
  private brackets: Int32Array | undefined;
  private ticks: Map<number, number> | undefined;

  constructor(
    text: string,
    private readonly options: Options,
    private readonly open: boolean,
    private readonly inLink: boolean,
  ) {
    this.text = text.trim();
  }

  read(): Inline[] {
    const { text } = this;
    // Signs, and what may be an address: a scheme, or the local part of a mailbox.
    const special = /[\\`*_~[!<&\n]|(?<![\p{L}\p{N}_])https?:\/\/|(?<![\w.%+-])[\w.%+-]{1,64}@/giu;
    while (this.i < text.length) {
      special.lastIndex = this.i;
      const found = special.exec(text);
      const next = found?.index ?? text.length;
      this.buffer += text.slice(this.i, next);
      this.i = next;
      if (!found) break;
      if (found[0].length === 1) this.sign(found[0]);
      else if (found[0].endsWith("@")) this.mail(found[0]);
      else this.address();
    }
    if (this.open) this.closeAll();
    while (this.stack.length) this.drop();
    this.flush();
    return this.out;
  }

  private sign(c: string): void {
    switch (c) {
      case "\\":
        return this.escape();
      case "`":
        return this.code();
      case "*":
      case "_":
      case "~":
        return this.emphasis(c);
      case "[":
        return this.bracket(this.i);
      case "!":
        if (this.text[this.i + 1] === "[") return this.bracket(this.i + 1);
        return this.open && this.rest === 1 && /\s/.test(this.text[this.i - 1] ?? " ") ? this.hold() : this.literal(1);
      case "<":
        return this.angle();
      case "&":
        return this.entity();
      default:
        return this.newline();
    }
  }

  private literal(n: number): void {
    this.buffer += this.text.slice(this.i, this.i + n);
    this.i += n;
  }

  private flush(): void {
    if (this.buffer === "") return;
    const last = this.out.at(-1);
    if (last?.type === "text" && !this.stack.some((o) => o.at === this.out.length)) last.text += this.buffer;
    else this.out.push({ type: "text", text: this.buffer });
    this.buffer = "";
  }

  private push(node: Inline): void {
    this.flush();
    this.out.push(node);
  }

  /** Holds back the rest of the text: what it means is not known yet. */
  private hold(): void {
    this.i = this.text.length;
  }

  private get rest(): number {
    return this.text.length - this.i;
  }

  private escape(): void {
    const next = this.text[this.i + 1];
    if (next === undefined && this.open) return this.hold();
    if (next === "\n") {
      this.i++;
      return this.newline();
    }
    if (next !== undefined && /[!-/:-@[-`{-~]/.test(next)) {
      this.buffer += next;
      this.i += 2;
      return;
    }
    this.literal(1);
  }

  private newline(): void {
    this.buffer = this.buffer.trimEnd();
    this.push({ type: "break" });
    this.i++;
    while (this.text[this.i] === " " || this.text[this.i] === "\t") this.i++;
  }

  private code(): void {
    const { text } = this;
    const length = run(text, this.i);
    this.ticks ??= lastRuns(text);
    const from = this.i + length;
    if ((this.ticks.get(length) ?? -1) >= from) {
      let end = from;
      for (;;) {
        end = text.indexOf("`", end);
        const n = run(text, end);
        if (n === length) break;
        end += n;
      }
      this.push({ type: "code", text: codeText(text.slice(from, end)) });
      this.i = end + length;
    } else if (this.open) {
      let end = text.length;
      while (text[end - 1] === "`") end--; // half of the closing run
      if (from < end) this.push({ type: "code", text: codeText(text.slice(from, end)) });
      this.hold();
    } else {
      this.literal(length);
    }
  }

  /** Opens or closes emphasis by the rules of CommonMark, without its multiples of three:
   * a run of signs opens before a word and closes after one, and underscores do not within. */
  private emphasis(sign: string): void {
    const { text } = this;
    const length = run(text, this.i);
    const before = text[this.i - 1] ?? " ";
    const after = text[this.i + length] ?? " ";
    if (this.open && this.i + length === text.length && !this.closable(sign, length)) return this.hold();
    const space = /\s/.test(after);
    const punct = /[\p{P}\p{S}]/u.test(after);
    const left = !space && (!punct || /[\s\p{P}\p{S}]/u.test(before));
    const right = !/\s/.test(before) && (!/[\p{P}\p{S}]/u.test(before) || space || punct);
    if (length > 3 || (sign === "~" && length !== 2)) return this.literal(length);
    const mayClose = right && (sign !== "_" || !left || punct);
    const mayOpen = left && (sign !== "_" || !right || /[\p{P}\p{S}]/u.test(before));
    let remaining = length;
    if (mayClose) {
      while (remaining > 0 && this.stack.some((o) => o.sign === sign)) remaining -= this.close(sign, remaining);
    }
    this.i += length;
    if (remaining === 0) return;
    if (mayOpen && this.stack.length < maxOpen) {
      this.flush();
      this.stack.push({ sign, length: remaining, at: this.out.length, optimistic: /[\s\p{P}]/u.test(before) });
    } else {
      this.buffer += sign.repeat(remaining);
    }
  }

  private closable(sign: string, length: number): boolean {
    return this.stack.some((o) => o.sign === sign && o.length === length);
  }

  /** Closes the nearest opener of sign, and what was opened after it is text. Returns how
   * many signs that took. */
  private close(sign: string, available: number): number {
    while (this.stack.at(-1)!.sign !== sign) this.drop();
    const opener = this.stack.at(-1)!;
    const n = sign === "~" || (opener.length >= 2 && available >= 2) ? 2 : 1;
    this.wrap(opener, n);
    opener.length -= n;
    if (opener.length === 0) this.stack.pop();
    return n;
  }

  private wrap(opener: Opener, n: number): void {
    this.flush();
    const children = this.out.splice(opener.at);
    this.out.push({ type: opener.sign === "~" ? "del" : n === 2 ? "strong" : "em", children });
  }

  /** The last opener was none: its signs are text. */
  private drop(): void {
    this.flush();
    const { sign, length, at } = this.stack.pop()!;
    const before = at > 0 && !this.stack.some((o) => o.at === at) ? this.out[at - 1] : undefined;
    const after = this.out[at];
    let text = sign.repeat(length);
    if (after?.type === "text") {
      text += after.text;
      this.out.splice(at, 1);
    }
    if (before?.type === "text") before.text += text;
    else this.out.splice(at, 0, { type: "text", text });
  }

  /** The end of text that grows closes what was opened, as its signs will. */
  private closeAll(): void {
    this.flush();
    for (let opener = this.stack.at(-1); opener; opener = this.stack.at(-1)) {
      if (!opener.optimistic) {
        this.drop();
        continue;
      }
      if (opener.at < this.out.length) {
        if (opener.length >= 2) this.wrap(opener, 2);
        if (opener.length !== 2) this.wrap(opener, 1);
      }
      this.stack.pop();
    }
  }

  /** A mark, a link or a picture whose label opens at `at`. */
  private bracket(at: number): void {
    const { text } = this;
    const picture = at > this.i;
    this.brackets ??= pairs(text);
    const end = this.brackets[at]!;
    if (end < 0) {
      return this.open && !this.inLink && this.rest <= longestLabel ? this.hold() : this.literal(at + 1 - this.i);
    }
    const label = text.slice(at + 1, end);
    if (!picture && !this.inLink && /^[1-9]\d{0,5}$/.test(label) && this.options.marks?.has(Number(label))) {
      this.push({ type: "mark", n: Number(label) });
      this.i = end + 1;
      return;
    }
    if (this.open && end + 1 === text.length) return this.hold();
    const address = !this.inLink && text[end + 1] === "(" ? destination(text, end + 2) : undefined;
    if (address === "more") return this.open ? this.hold() : this.literal(at + 1 - this.i);
    if (!address) return this.literal(at + 1 - this.i);
    if (picture) this.picture(address.url, label);
    else this.link(address.url, label);
    this.i = address.end;
  }

  private link(url: string, label: string): void {
    const href = safe(url);
    const children = new Line(visible(label), this.options, false, true).read();
    if (!href) {
      this.flush();
      this.out.push(...children);
      return;
    }
    const host = disguised(href, plain(children));
    if (plain(children).trim() === "") children.push({ type: "text", text: href.replace(/^(?:mailto|tel):/, "") });
    this.push({ type: "link", href, children, ...(host !== undefined && { host }) });
  }

  private picture(url: string, label: string): void {
    const alt = visible(plain(new Line(label, this.options, false, true).read()));
    const src = safe(url);
    if (src?.startsWith("https:") && this.options.images?.includes(new URL(src).origin)) this.push({ type: "image", src, alt });
    else this.buffer += alt;
  }

  private angle(): void {
    const { text, i } = this;
    const found = /<(?:(br) ?\/?|((?:https?:\/\/|mailto:|tel:)[^\s<>]+)|([\w.+-]+@[\w-]+(?:\.[\w-]+)+))>/iy;
    found.lastIndex = i;
    const match = found.exec(text);
    if (match?.[1]) {
      this.i += match[0].length;
      this.push({ type: "break" });
    } else if (match && !this.inLink && this.autolink(match[2] ?? `mailto:${match[3]}`)) {
      this.i += match[0].length;
    } else if (this.open && this.rest <= longestLabel && /^<[a-z][^\s<>]*$/i.test(text.slice(i))) {
      this.hold();
    } else {
      this.literal(1);
    }
  }

  private entity(): void {
    const found = /&#?\w{1,6};/y;
    found.lastIndex = this.i;
    const match = found.exec(this.text)?.[0];
    const character = match && entities[match.toLowerCase()];
    if (character) {
      this.buffer += character;
      this.i += match.length;
    } else if (this.open && this.rest <= 6 && /^&#?\w*$/.test(this.text.slice(this.i))) {
      this.hold();
    } else {
      this.literal(1);
    }
  }

  /** An address that stands in the text as it is. */
  private address(): void {
    const found = /[^\s<>`|]*/y;
    found.lastIndex = this.i;
    const rest = found.exec(this.text)![0];
    const url = trimmed(rest);
    if (this.inLink || (this.open && rest.length === this.rest)) this.literal(rest.length); // where it may go on it is text for now
    else if (this.autolink(url)) this.i += url.length;
    else this.literal("http".length);
  }

  /** A mailbox of which the local part and the @ have been read. */
  private mail(local: string): void {
    const found = /(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}/y;
    found.lastIndex = this.i + local.length;
    const domain = found.exec(this.text)?.[0];
    if (this.open && !/[^\w.-]/.test(this.text.slice(this.i + local.length, this.i + longestLabel))) this.literal(local.length);
    else if (this.inLink || !domain || !this.autolink(`mailto:${local}${domain}`)) this.literal(local.length);
    else this.i += local.length + domain.length;
  }

  private autolink(url: string): boolean {
    const href = safe(url);
    if (!href) return false;
    const host = disguised(href, url);
    this.push({ type: "link", href, children: [{ type: "text", text: url.replace(/^(?:mailto|tel):/i, "") }], ...(host !== undefined && { host }) });
    return true;
  }
}

/** The length of the run of equal characters at i. */
function run(text: string, i: number): number {
  let end = i + 1;
  while (text[end] === text[i]) end++;
  return end - i;
}

/** Where the last run of backticks of each length begins: a run without another of its
 * length after it opens nothing, and nobody needs to look. */
function lastRuns(text: string): Map<number, number> {
  const last = new Map<number, number>();
  for (let i = text.indexOf("`"); i >= 0; i = text.indexOf("`", i)) {
    const n = run(text, i);
    last.set(n, i);
    i += n;
  }
  return last;
}

function codeText(text: string): string {
  const one = text.replaceAll("\n", " ");
  return one.startsWith(" ") && one.endsWith(" ") && one.trim() !== "" ? one.slice(1, -1) : one;
}

/** For each opening bracket the place of its closing one, or -1. */
function pairs(text: string): Int32Array {
  const closing = new Int32Array(text.length).fill(-1);
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "[") open.push(i);
    else if (text[i] === "]" && open.length) closing[open.pop()!] = i;
  }
  return closing;
}

/** Reads `url "title")` from i. "more": it has begun, and the text ends. */
function destination(text: string, i: number): { url: string; end: number } | "more" | undefined {
  const found = /\s{0,9}(?:<([^<>\n[\]]*)>|([^\s<>[\]()]*(?:\([^\s<>[\]()]*\)[^\s<>[\]()]*)*))(?:\s{1,9}(?:"[^"\n[\]]*"|'[^'\n[\]]*'))?\s{0,9}\)/y;
  const limit = text.slice(i, i + longestAddress);
  const match = found.exec(limit);
  if (match) return { url: match[1] ?? match[2]!, end: i + match[0].length };
  const begun = /\s{0,9}<?[^\s<>[\]]*(?:\s{1,9}(?:["'][^"'\n[\]]*["']?)?)?$/y;
  return limit.length < longestAddress && begun.test(limit) ? "more" : undefined;
}

/** An address as it stood in the text, without the punctuation of the sentence around it. */
function trimmed(url: string): string {
  let end = url.length;
  let balance = 0; // of brackets
  for (const c of url) balance += c === "(" ? 1 : c === ")" ? -1 : 0;
  for (; end > 0; end--) {
    const c = url[end - 1]!;
    if (c === ")" && balance < 0) balance++;
    else if (!/[.,;:!?'"*_~\]]/.test(c)) break;
  }
  return url.slice(0, end);
}

/** The address, if it is one that may be followed. */
function safe(url: string): string | undefined {
  if (url.length > longestAddress || !/^(?:https?:\/\/|mailto:|tel:)/i.test(url)) return undefined;
  try {
    return new URL(visible(url)).href;
  } catch {
    return undefined;
  }
}

/** What really is behind a label that looks like something else: an address with another
 * host, a name in front of the host, letters of other scripts that look alike. */
function disguised(href: string, label: string): string | undefined {
  const url = new URL(href);
  const seen = visible(label).slice(0, 300).normalize("NFKC").toLowerCase();
  if (url.protocol === "tel:") {
    const digits = (text: string) => text.replace(/\D/g, "");
    return digits(seen).length > 4 && !digits(url.pathname).endsWith(digits(seen).replace(/^0+/, "")) ? url.pathname : undefined;
  }
  const host = url.protocol === "mailto:" ? url.pathname.slice(url.pathname.lastIndexOf("@") + 1) : url.host;
  if (url.username || host.includes("xn--")) return host;
  for (const [, name] of seen.matchAll(/((?:[\p{L}\p{N}-]{1,63}\.){1,9}\p{L}{2,63})(?::\d+)?/gu)) {
    const bare = (h: string) => h.replace(/^www\./, "").replace(/:\d+$/, "");
    if (bare(name!) === bare(host)) return undefined; // the path may have names too
    return host;
  }
  return undefined;
}

/** The visible text of nodes. */
export function plain(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => {
      switch (node.type) {
        case "text":
        case "code":
          return node.text;
        case "image":
          return node.alt;
        case "mark":
          return `[${node.n}]`;
        case "break":
          return "\n";
        default:
          return plain(node.children);
      }
    })
    .join("");
}
