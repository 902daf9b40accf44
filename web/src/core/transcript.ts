// A conversation as plain text, for a download: who said what and when, and the sources.

import { withoutBidi } from "./bidi.ts";
import type { T } from "./i18n.ts";
import type { AnswerItem, CustomerItem, Item } from "./types.ts";

export function transcript(title: string, items: readonly Item[], t: T): string {
  const parts = items.map((item) => entry(item, t)).filter((text) => text !== undefined);
  return `${withoutBidi(title)}\n\n${parts.join("\n\n")}\n`;
}

function entry(item: Item, t: T): string | undefined {
  switch (item.type) {
    case "customer":
      return said(t("core.you"), item.at, item.text, files(item, t), t);
    case "agent":
      return said(item.name || t("core.person"), item.at, item.text, files(item, t), t);
    case "answer":
      if (item.replacedBy !== undefined || item.text === "") return undefined;
      return said(t("core.assistant"), item.startedAt, item.text, sources(item, t), t);
    case "line":
      if (item.what === "joined") return `— ${t("core.joined", { name: item.name || t("core.person") })}, ${t.moment(item.at)} —`;
      if (item.what === "closed") return `— ${t("core.closed")}, ${t.moment(item.at)} —`;
      return undefined;
    default:
      return undefined;
  }
}

function said(who: string, at: string, text: string, more: string, t: T): string {
  return withoutBidi([`${who}, ${t.moment(at)}:`, text, more].filter(Boolean).join("\n"));
}

function sources(item: AnswerItem, t: T): string {
  const cited = item.citations.filter((c) => item.text.includes(`[${c.mark}]`));
  if (cited.length === 0) return "";
  return [t("core.sources"), ...cited.map((c) => `[${c.mark}] ${c.title}: “${c.quote}” ${c.url}`)].join("\n");
}

function files(item: Pick<CustomerItem, "files">, t: T): string {
  return item.files.map((file) => t("core.file", { name: file.name })).join("\n");
}
