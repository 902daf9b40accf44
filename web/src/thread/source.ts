import { withoutBidi } from "../core/bidi.ts";
import type { T } from "../core/i18n.ts";
import type { Citation } from "../core/types.ts";

/** What a citation's document is called; a notice is no document. */
export function titleOf(cited: Citation, t: T): string {
  if (cited.document?.startsWith("notice:")) return t("thread.notice");
  return withoutBidi(cited.title) || t("thread.untitled");
}

/** Where a quote can be read, if anywhere: on the server's own page of the document, or in the document
 * itself, where browsers that can will show the very words. Undefined if the address is not
 * one that may be followed. */
export function sourceLink(cited: Citation, base: string): string | undefined {
  const server = new URL(base || "/", document.baseURI);
  let url: URL;
  if (!cited.url) return undefined;
  try {
    url = new URL(cited.url, server);
  } catch {
    return undefined;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  if (url.hash) return url.href;
  if (url.origin === server.origin && url.pathname.startsWith("/sources/")) return url.href + "#quote";
  const words = [...cited.quote.split("\n")[0]!].slice(0, 200).join("");
  try {
    return url.href + "#:~:text=" + encodeURIComponent(words).replaceAll("-", "%2D");
  } catch {
    return url.href; // half a character cannot be put into an address
  }
}

/** The citations that a text makes use of, by their numbers. */
export function used(text: string, citations: Citation[]): Citation[] {
  return citations.filter((c) => text.includes(`[${c.mark}]`)).sort((a, b) => a.mark - b.mark);
}

/** The citations of each document together, in the order of their first ones. */
export function byDocument(citations: Citation[]): Citation[][] {
  const documents = new Map<string, Citation[]>();
  for (const c of citations) {
    const key = c.document === undefined ? c.url.replace(/[?#].*/s, "") + "\n" + c.title : `${c.generation}\n${c.document}`;
    const passages = documents.get(key);
    if (passages) passages.push(c);
    else documents.set(key, [c]);
  }
  return [...documents.values()];
}

/** An address that may be shown and followed in the widget: the privacy notice, say. */
export function webAddress(address: string | undefined): string | undefined {
  try {
    const url = new URL(address ?? "", document.baseURI);
    return address && (url.protocol === "https:" || url.protocol === "http:") ? url.href : undefined;
  } catch {
    return undefined;
  }
}
