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
  return line(withoutBidi(text), options, open, false);
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

/** Reads from left to right. What was begun and may turn out to be nothing is on `stack`. */
function line(given: string, options: Options, open: boolean, inLink: boolean): Inline[] {
  const text = given.trim();
  const out: Inline[] = [];
  let buffer = "";
  let i = 0;
  const stack: Opener[] = [];
  let brackets: Int32Array | undefined;
  let ticks: Map<number, number> | undefined;

  function read(): Inline[] {
    // Signs, and what may be an address: a scheme, or the local part of a mailbox.
    const special = /[\\`*_~[!<&\n]|(?<![\p{L}\p{N}_])https?:\/\/|(?<![\w.%+-])[\w.%+-]{1,64}@/giu;
    while (i < text.length) {
      special.lastIndex = i;
      const found = special.exec(text);
      const next = found?.index ?? text.length;
      buffer += text.slice(i, next);
      i = next;
      if (!found) break;
      if (found[0].length === 1) sign(found[0]);
      else if (found[0].endsWith("@")) mail(found[0]);
      else address();
    }
    if (open) closeAll();
    while (stack.length) drop();
    flush();
    return out;
  }

  function sign(c: string): void {
    switch (c) {
      case "\\":
        return escape();
      case "`":
        return code();
      case "*":
      case "_":
      case "~":
        return emphasis(c);
      case "[":
        return bracket(i);
      case "!":
        if (text[i + 1] === "[") return bracket(i + 1);
        return open && rest() === 1 && /\s/.test(text[i - 1] ?? " ") ? hold() : literal(1);
      case "<":
        return angle();
      case "&":
        return entity();
      default:
        return newline();
    }
  }

  function literal(n: number): void {
    buffer += text.slice(i, i + n);
    i += n;
  }

  function flush(): void {
    if (buffer === "") return;
    const last = out.at(-1);
    if (last?.type === "text" && !stack.some((o) => o.at === out.length)) last.text += buffer;
    else out.push({ type: "text", text: buffer });
    buffer = "";
  }

  function push(node: Inline): void {
    flush();
    out.push(node);
  }

  /** Holds back the rest of the text: what it means is not known yet. */
  function hold(): void {
    i = text.length;
  }

  function rest(): number {
    return text.length - i;
  }

  function escape(): void {
    const next = text[i + 1];
    if (next === undefined && open) return hold();
    if (next === "\n") {
      i++;
      return newline();
    }
    if (next !== undefined && /[!-/:-@[-`{-~]/.test(next)) {
      buffer += next;
      i += 2;
      return;
    }
    literal(1);
  }

  function newline(): void {
    buffer = buffer.trimEnd();
    push({ type: "break" });
    i++;
    while (text[i] === " " || text[i] === "\t") i++;
  }

  function code(): void {
    const length = run(text, i);
    ticks ??= lastRuns(text);
    const from = i + length;
    if ((ticks.get(length) ?? -1) >= from) {
      let end = from;
      for (;;) {
        end = text.indexOf("`", end);
        const n = run(text, end);
        if (n === length) break;
        end += n;
      }
      push({ type: "code", text: codeText(text.slice(from, end)) });
      i = end + length;
    } else if (open) {
      let end = text.length;
      while (text[end - 1] === "`") end--; // half of the closing run
      if (from < end) push({ type: "code", text: codeText(text.slice(from, end)) });
      hold();
    } else {
      literal(length);
    }
  }

  /** Opens or closes emphasis by the rules of CommonMark, without its multiples of three:
   * a run of signs opens before a word and closes after one, and underscores do not within. */
  function emphasis(sign: string): void {
    const length = run(text, i);
    const before = text[i - 1] ?? " ";
    const after = text[i + length] ?? " ";
    if (open && i + length === text.length && !closable(sign, length)) return hold();
    const space = /\s/.test(after);
    const punct = /[\p{P}\p{S}]/u.test(after);
    const left = !space && (!punct || /[\s\p{P}\p{S}]/u.test(before));
    const right = !/\s/.test(before) && (!/[\p{P}\p{S}]/u.test(before) || space || punct);
    if (length > 3 || (sign === "~" && length !== 2)) return literal(length);
    const mayClose = right && (sign !== "_" || !left || punct);
    const mayOpen = left && (sign !== "_" || !right || /[\p{P}\p{S}]/u.test(before));
    let remaining = length;
    if (mayClose) {
      while (remaining > 0 && stack.some((o) => o.sign === sign)) remaining -= close(sign, remaining);
    }
    i += length;
    if (remaining === 0) return;
    if (mayOpen && stack.length < maxOpen) {
      flush();
      stack.push({ sign, length: remaining, at: out.length, optimistic: /[\s\p{P}]/u.test(before) });
    } else {
      buffer += sign.repeat(remaining);
    }
  }

  function closable(sign: string, length: number): boolean {
    return stack.some((o) => o.sign === sign && o.length === length);
  }

  /** Closes the nearest opener of sign, and what was opened after it is text. Returns how
   * many signs that took. */
  function close(sign: string, available: number): number {
    while (stack.at(-1)!.sign !== sign) drop();
    const opener = stack.at(-1)!;
    const n = sign === "~" || (opener.length >= 2 && available >= 2) ? 2 : 1;
    wrap(opener, n);
    opener.length -= n;
    if (opener.length === 0) stack.pop();
    return n;
  }

  function wrap(opener: Opener, n: number): void {
    flush();
    const children = out.splice(opener.at);
    out.push({ type: opener.sign === "~" ? "del" : n === 2 ? "strong" : "em", children });
  }

  /** The last opener was none: its signs are text. */
  function drop(): void {
    flush();
    const { sign, length, at } = stack.pop()!;
    const before = at > 0 && !stack.some((o) => o.at === at) ? out[at - 1] : undefined;
    const after = out[at];
    let text = sign.repeat(length);
    if (after?.type === "text") {
      text += after.text;
      out.splice(at, 1);
    }
    if (before?.type === "text") before.text += text;
    else out.splice(at, 0, { type: "text", text });
  }

  /** The end of text that grows closes what was opened, as its signs will. */
  function closeAll(): void {
    flush();
    for (let opener = stack.at(-1); opener; opener = stack.at(-1)) {
      if (!opener.optimistic) {
        drop();
        continue;
      }
      if (opener.at < out.length) {
        if (opener.length >= 2) wrap(opener, 2);
        if (opener.length !== 2) wrap(opener, 1);
      }
      stack.pop();
    }
  }

  /** A mark, a link or a picture whose label opens at `at`. */
  function bracket(at: number): void {
    const shown = at > i;
    brackets ??= pairs(text);
    const end = brackets[at]!;
    if (end < 0) {
      return open && !inLink && rest() <= longestLabel ? hold() : literal(at + 1 - i);
    }
    const label = text.slice(at + 1, end);
    if (!shown && !inLink && /^[1-9]\d{0,5}$/.test(label) && options.marks?.has(Number(label))) {
      push({ type: "mark", n: Number(label) });
      i = end + 1;
      return;
    }
    if (open && end + 1 === text.length) return hold();
    const address = !inLink && text[end + 1] === "(" ? destination(text, end + 2) : undefined;
    if (address === "more") return open ? hold() : literal(at + 1 - i);
    if (!address) return literal(at + 1 - i);
    if (shown) picture(address.url, label);
    else link(address.url, label);
    i = address.end;
  }

  function link(url: string, label: string): void {
    const href = safe(url);
    const children = line(visible(label), options, false, true);
    if (!href) {
      flush();
      out.push(...children);
      return;
    }
    const host = disguised(href, plain(children));
    if (plain(children).trim() === "") children.push({ type: "text", text: href.replace(/^(?:mailto|tel):/, "") });
    push({ type: "link", href, children, ...(host !== undefined && { host }) });
  }

  function picture(url: string, label: string): void {
    const alt = visible(plain(line(label, options, false, true)));
    const src = safe(url);
    if (src?.startsWith("https:") && options.images?.includes(new URL(src).origin)) push({ type: "image", src, alt });
    else buffer += alt;
  }

  function angle(): void {
    const found = /<(?:(br) ?\/?|((?:https?:\/\/|mailto:|tel:)[^\s<>]+)|([\w.+-]+@[\w-]+(?:\.[\w-]+)+))>/iy;
    found.lastIndex = i;
    const match = found.exec(text);
    if (match?.[1]) {
      i += match[0].length;
      push({ type: "break" });
    } else if (match && !inLink && autolink(match[2] ?? `mailto:${match[3]}`)) {
      i += match[0].length;
    } else if (open && rest() <= longestLabel && /^<[a-z][^\s<>]*$/i.test(text.slice(i))) {
      hold();
    } else {
      literal(1);
    }
  }

  function entity(): void {
    const found = /&#?\w{1,6};/y;
    found.lastIndex = i;
    const match = found.exec(text)?.[0];
    const character = match && entities[match.toLowerCase()];
    if (character) {
      buffer += character;
      i += match.length;
    } else if (open && rest() <= 6 && /^&#?\w*$/.test(text.slice(i))) {
      hold();
    } else {
      literal(1);
    }
  }

  /** An address that stands in the text as it is. */
  function address(): void {
    const found = /[^\s<>`|]*/y;
    found.lastIndex = i;
    const word = found.exec(text)![0];
    const url = trimmed(word);
    if (inLink || (open && word.length === rest())) literal(word.length); // where it may go on it is text for now
    else if (autolink(url)) i += url.length;
    else literal("http".length);
  }

  /** A mailbox of which the local part and the @ have been read. */
  function mail(local: string): void {
    const found = /(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}/y;
    found.lastIndex = i + local.length;
    const domain = found.exec(text)?.[0];
    if (open && !/[^\w.-]/.test(text.slice(i + local.length, i + longestLabel))) literal(local.length);
    else if (inLink || !domain || !autolink(`mailto:${local}${domain}`)) literal(local.length);
    else i += local.length + domain.length;
  }

  function autolink(url: string): boolean {
    const href = safe(url);
    if (!href) return false;
    const host = disguised(href, url);
    push({ type: "link", href, children: [{ type: "text", text: url.replace(/^(?:mailto|tel):/i, "") }], ...(host !== undefined && { host }) });
    return true;
  }

  return read();
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
