// Markdown, as models write it, to a tree that is drawn with nodes. There is no HTML in it
// and none comes out. The text may be an answer that still grows: blocks that are finished
// stay the very same objects, so that nobody draws them twice, and what has only begun at
// the end (a fence, half a table, half a link) is held back or read as if it were complete,
// so that its signs are never seen.
//
// blocks() keeps the top-level blocks before the last and reads the rest: lines here, the
// text within a block in inline.ts. Every loop goes forward and depth is bounded: the work
// is linear in the text, whatever it is.

import { withoutBidi } from "./bidi.ts";
import { inline, type Inline, type Options } from "./inline.ts";

export type Block =
  | { type: "paragraph"; children: Inline[] }
  | { type: "heading"; level: number; children: Inline[] }
  | { type: "code"; lang: string; text: string }
  | { type: "list"; ordered: boolean; start: number; items: Block[][] }
  | { type: "quote"; children: Block[] }
  | { type: "table"; align: Align[]; head: Inline[][]; rows: Inline[][][] } // a row may have fewer cells than the head
  | { type: "rule" };

export type Align = "start" | "center" | "end" | undefined;

/** What blocks returns, to be given back when the text has grown. */
export interface Doc {
  readonly blocks: readonly Block[];
  readonly text: string;
  readonly growing: boolean;
  /** Blocks before `settled` are finished; the text of the rest begins at `offset`. */
  readonly settled: number;
  readonly offset: number;
  readonly memo: Memo;
}

/** Items and rows of the last block by their source: they too stay the same objects. */
type Memo = Map<string, Block[] | Inline[][]>;

/** The blocks of text. With prev, the result for an earlier state of the same text, only
 * what comes after its finished blocks is read. Growing says that more text may come. */
export function blocks(text: string, options: Options = {}, growing = false, prev?: Doc): Doc {
  if (prev?.text === text && prev.growing === growing) return prev;
  const kept = prev && text.startsWith(prev.text) ? prev : undefined;
  const offset = kept?.offset ?? 0;
  const reader = new Reader(options, kept?.memo);
  const parts = reader.blocks(lines(text.slice(offset)), 0, growing);
  const old = kept?.blocks ?? [];
  const settled = kept?.settled ?? 0;
  const list = old.slice(0, settled);
  let end = settled;
  let from = 0;
  for (const [i, part] of parts.entries()) {
    list.push(part.block);
    if (i < parts.length - 1) {
      end++;
      from = parts[i + 1]!.line;
    }
  }
  return { blocks: list, text, growing, settled: end, offset: offset + start(text, offset, from), memo: reader.used };
}

/** The place where line n of text after offset begins, counted from offset. */
function start(text: string, offset: number, n: number): number {
  let at = offset;
  for (; n > 0; n--) at = text.indexOf("\n", at) + 1;
  return at - offset;
}

function lines(text: string): string[] {
  return text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** A block and the line on which it begins. */
interface Part {
  block: Block;
  line: number;
}

const maxDepth = 8; // of lists and quotes in one another; what is deeper is read as text

const fence = /^ {0,3}(`{3,}(?!`)|~{3,}(?!~))([^`]*)$/;
const heading = /^ {0,3}(#{1,6})(?:[ \t]|$)/;
const item = /^( {0,3})([-*+]|\d{1,9}[.)])(?=[ \t]|$)/;
const quote = /^ {0,3}>/;

class Reader {
  readonly used: Memo = new Map();

  constructor(
    private readonly options: Options,
    private readonly memo: Memo = new Map(),
  ) {}

  /** Reads lines as blocks. Open says that the last line, and what it is part of, may go on. */
  blocks(lines: string[], depth: number, open: boolean): Part[] {
    const parts: Part[] = [];
    if (open && (lines.at(-1) === "" || unclear(lines.at(-1)!))) lines = lines.slice(0, -1);
    let i = 0;
    while (i < lines.length) {
      const line = lines[i]!;
      if (blank(line)) {
        i++;
        continue;
      }
      const [block, next] = this.block(lines, i, depth, open);
      if (block) parts.push({ block, line: i });
      i = next;
    }
    return parts;
  }

  /** Reads the block that begins on line i, and returns it and the line after it. There is
   * no block where all of it is held back. */
  private block(lines: string[], i: number, depth: number, open: boolean): [Block | undefined, number] {
    const line = lines[i]!;
    const fenced = fence.exec(line);
    if (fenced) return this.code(lines, i, fenced[1]!, fenced[2]!, open);
    const level = heading.exec(line)?.[1]!.length;
    if (level) {
      const children = inline(headingText(line, level), this.options, open && i === lines.length - 1);
      return [{ type: "heading", level, children }, i + 1];
    }
    if (rule(line)) return [{ type: "rule" }, i + 1];
    if (depth < maxDepth && quote.test(line)) return this.quote(lines, i, depth, open);
    if (depth < maxDepth && item.test(line)) return this.list(lines, i, depth, open);
    if (tableAt(lines, i, open)) return this.table(lines, i, open);
    return this.paragraph(lines, i, depth, open);
  }

  private code(lines: string[], i: number, mark: string, info: string, open: boolean): [Block, number] {
    const strip = indent(lines[i]!);
    const closes = (line: string) => {
      const t = line.trim();
      return t.length >= mark.length && t === mark[0]!.repeat(t.length) && indent(line) < 4;
    };
    const text: string[] = [];
    let next = i + 1;
    for (; next < lines.length && !closes(lines[next]!); next++) text.push(dedent(lines[next]!, strip));
    if (open && next === lines.length && text.length && /^[`~]{1,}$/.test(text.at(-1)!.trim())) text.pop(); // half of the closing fence
    if (next === lines.length && text.at(-1) === "") text.pop();
    const lang = /^\s*([\w+#.-]{1,30})/.exec(info)?.[1] ?? "";
    return [{ type: "code", lang, text: withoutBidi(text.join("\n")) }, Math.min(next + 1, lines.length)];
  }

  private quote(lines: string[], i: number, depth: number, open: boolean): [Block, number] {
    const inner: string[] = [];
    for (; i < lines.length && quote.test(lines[i]!); i++) inner.push(lines[i]!.replace(/^ {0,3}> ?/, ""));
    const children = this.blocks(inner, depth + 1, open && i === lines.length).map((part) => part.block);
    return [{ type: "quote", children }, i];
  }

  private list(lines: string[], i: number, depth: number, open: boolean): [Block, number] {
    const first = item.exec(lines[i]!)![2]!;
    const sign = first.at(-1)!; // items with another sign are another list
    const items: Block[][] = [];
    for (let found = item.exec(lines[i]!); found && found[2]!.endsWith(sign) && !rule(lines[i]!); found = item.exec(lines[i] ?? "")) {
      const rest = lines[i]!.slice(found[0].length);
      const within = found[1]!.length + 2; // columns from which a line belongs to the item: models count badly
      const width = found[0].length + Math.max(1, Math.min(indent(rest), 4));
      const inner = [rest.trimStart()];
      for (i++; i < lines.length; i++) {
        const next = afterBlank(lines, i);
        const line = lines[next] ?? "";
        if (next > i) {
          const goesOn = indent(line) >= within;
          if (next < lines.length && (goesOn || item.test(line))) i = next; // another sign ends the list there
          if (!goesOn) break;
          inner.push("");
        } else if (indent(line) < within && begins(line)) {
          break;
        }
        inner.push(dedent(line, width));
      }
      items.push(this.item(inner, depth, open && i >= lines.length));
    }
    const ordered = /\d/.test(first);
    return [{ type: "list", ordered, start: ordered ? Number.parseInt(first) : 1, items }, i];
  }

  private item(lines: string[], depth: number, open: boolean): Block[] {
    if (open) return this.blocks(lines, depth + 1, true).map((part) => part.block);
    return this.same(`${depth}${lines.join("\n")}`, () => this.blocks(lines, depth + 1, false).map((part) => part.block));
  }

  private table(lines: string[], i: number, open: boolean): [Block, number] {
    const piped = lines[i]!.trimStart().startsWith("|");
    const align = cells(lines[i + 1]!).map(alignment);
    const head = this.row(lines[i]!, align.length, false);
    const rows: Inline[][][] = [];
    for (i += 2; i < lines.length; i++) {
      const line = lines[i]!;
      if (blank(line) || (piped ? !line.trimStart().startsWith("|") : begins(line))) break;
      rows.push(this.row(line, align.length, open && i === lines.length - 1));
    }
    return [{ type: "table", align, head, rows }, i];
  }

  private row(line: string, columns: number, open: boolean): Inline[][] {
    const read = () => {
      const parts = cells(line).slice(0, columns);
      return parts.map((cell, i) => inline(cell, this.options, open && i === parts.length - 1));
    };
    return open ? read() : this.same(`|${columns}|${line}`, read);
  }

  private paragraph(lines: string[], i: number, depth: number, open: boolean): [Block | undefined, number] {
    const text: string[] = [];
    for (; i < lines.length && !blank(lines[i]!); i++) {
      if (text.length && (interrupts(lines[i]!, depth) || tableAt(lines, i, open))) break;
      text.push(lines[i]!);
    }
    open &&= i === lines.length;
    if (open) hold(text);
    if (text.length === 0) return [undefined, i];
    return [{ type: "paragraph", children: inline(text.join("\n"), this.options, open) }, i];
  }

  private same<R extends Block[] | Inline[][]>(source: string, read: () => R): R {
    const result = (this.used.get(source) ?? this.memo.get(source)) as R | undefined;
    const kept = result ?? read();
    this.used.set(source, kept);
    return kept;
  }
}

function blank(line: string): boolean {
  return line.trim() === "";
}

/** Columns of white space before the text; a tab goes to the next multiple of four. */
function indent(line: string): number {
  let n = 0;
  for (const c of line) {
    if (c === " ") n++;
    else if (c === "\t") n += 4 - (n % 4);
    else break;
  }
  return n;
}

function dedent(line: string, columns: number): string {
  let n = 0;
  let i = 0;
  for (; n < columns && (line[i] === " " || line[i] === "\t"); i++) n += line[i] === " " ? 1 : 4 - (n % 4);
  return line.slice(i);
}

function rule(line: string): boolean {
  return indent(line) < 4 && /^([-*_])\1{2,}$/.test(line.replace(/[ \t]+/g, ""));
}

/** Whether the line begins a block, if no paragraph goes on in it. */
function begins(line: string): boolean {
  return fence.test(line) || heading.test(line) || quote.test(line) || item.test(line) || rule(line);
}

/** Whether the line ends a paragraph. A number does so only as 1: lines may begin with years. */
function interrupts(line: string, depth: number): boolean {
  if (fence.test(line) || heading.test(line) || rule(line)) return true;
  if (depth >= maxDepth) return false;
  const found = item.exec(line);
  if (!found) return quote.test(line);
  return !blank(line.slice(found[0].length)) && !(Number.parseInt(found[2]!) !== 1 && /\d/.test(found[2]!));
}

/** The first line from i that is not blank. */
function afterBlank(lines: string[], i: number): number {
  while (i < lines.length && blank(lines[i]!)) i++;
  return i;
}

function headingText(line: string, level: number): string {
  const text = line.trim().slice(level).trim();
  let end = text.length;
  while (end > 0 && text[end - 1] === "#") end--;
  return end === 0 || /[ \t]/.test(text[end - 1]!) ? text.slice(0, end).trimEnd() : text;
}

/** Whether lines i and i+1 are the head of a table. While text comes, the second must be
 * complete. */
function tableAt(lines: string[], i: number, open: boolean): boolean {
  const under = lines[i + 1];
  if (under === undefined || !lines[i]!.includes("|") || !under.includes("-") || !/^[\s|:-]+$/.test(under)) return false;
  if (open && i + 1 === lines.length - 1) return false;
  const columns = cells(under);
  return columns.every((cell) => /^:?-+:?$/.test(cell)) && columns.length === cells(lines[i]!).length;
}

function alignment(cell: string): Align {
  if (!cell.endsWith(":")) return cell.startsWith(":") ? "start" : undefined;
  return cell.startsWith(":") ? "center" : "end";
}

/** The cells of a row: what pipes separate that are not escaped. */
function cells(line: string): string[] {
  let row = line.trim();
  if (row.startsWith("|")) row = row.slice(1);
  const all: string[] = [];
  let cell = "";
  for (let i = 0; i < row.length; i++) {
    if (row[i] === "\\" && row[i + 1] === "|") {
      cell += "|";
      i++;
    } else if (row[i] === "|") {
      all.push(cell.trim());
      cell = "";
    } else {
      cell += row[i];
    }
  }
  if (cell.trim() !== "" || !row.endsWith("|")) all.push(cell.trim());
  return all;
}

/** Whether a last line, as far as it has come, may become the sign of a block. */
function unclear(line: string): boolean {
  return /^ *(?:[-*_+]+|\d{1,9}[.)]?|#{1,6}|`{1,2}|~{1,2})[ \t]*$/.test(line) || fence.test(line.trimStart());
}

/** Takes from the end of a paragraph that grows what may become a table. */
function hold(text: string[]): void {
  const last = text.at(-1)!;
  if (text.length > 1 && text.at(-2)!.includes("|") && /^[\s|:-]*$/.test(last)) text.pop();
  if (text.length && text.at(-1)!.trimStart().startsWith("|")) text.pop();
}
