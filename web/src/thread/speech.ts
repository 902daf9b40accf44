// What of an answer's Markdown is read aloud, and when.

/** The words of a piece of Markdown without its signs, for a voice. Code is not read out:
 * who wants it goes to it. `code` is what is said in its place. */
export function speech(markdown: string, code: string): string {
  const lines: string[] = [];
  let fenced = false;
  for (const line of markdown.split("\n")) {
    if (/^\s*(```|~~~)/.test(line)) {
      fenced = !fenced;
      if (fenced) lines.push(code + ".");
    } else if (!fenced && !/^[\s|:=-]*$/.test(line)) {
      lines.push(spoken(line));
    }
  }
  return lines.join(" ").trim();
}

function spoken(line: string): string {
  const row = /^\s*\|/.test(line);
  let text = line
    .replace(/^\s*(#{1,6}|>|[-*+]|\d+[.)])\s+/, "")
    .replace(/!?\[([^[\]\n]{0,300})\]\([^()\s]{0,2000}\)/g, "$1")
    .replace(/\s?\[\d{1,4}\]/g, "")
    .replace(/[*_`~]{1,3}/g, (sign) => (sign === "_" ? sign : ""));
  if (row) text = text.split("|").map((cell) => cell.trim()).filter(Boolean).join(", ") + ".";
  return text.trim();
}

/** The first words of an answer, to tell its buttons from those of another. */
export function excerpt(markdown: string, code: string): string {
  const text = speech(markdown.slice(0, 400), code);
  if (text.length <= 60) return text;
  const cut = text.slice(0, 60);
  return cut.slice(0, Math.max(cut.lastIndexOf(" "), 40)) + "…";
}

/** How much of text, from `from` on, consists of whole sentences: an index at which to cut.
 * A line that was begun, or code that was not closed, waits for its end. */
export function wholeSentences(text: string, from: number): number {
  const fences = [...text.matchAll(/^[ \t]*(?:```|~~~)/gm)];
  const limit = fences.length % 2 ? fences.at(-1)!.index : text.length;
  let end = from;
  // A sentence ends with its mark, what closes it, the numbers of its sources, and a space;
  // those of Chinese and Japanese need no space.
  for (const m of text.slice(from, limit).matchAll(/[.!?…؟۔।]['")\]»”’*_]*(?:\s?\[\d{1,4}\])*\s|[。!?…](?:\s?\[\d{1,4}\])*|\n/g)) {
    end = from + m.index + m[0].length;
  }
  return end;
}
