import type { T } from "../core/i18n.ts";
import type { WidgetSettings } from "../core/types.ts";

export type Rules = NonNullable<WidgetSettings["files"]>;

/** Why a file cannot be sent, in words for the customer. The server looks again. */
export function refusal(file: { name: string; type: string; size: number }, rules: Rules, t: T): string | undefined {
  if (!rules.types.some((type) => type === file.type || (type.endsWith("/*") && file.type.startsWith(type.slice(0, -1))))) {
    return t("thread.file_type", { name: file.name, types: t.list(kinds(rules.types), "disjunction") });
  }
  if (file.size > rules.bytes) return t("thread.file_large", { name: file.name, size: t.bytes(file.size), limit: t.bytes(rules.bytes) });
  if (file.size === 0) return t("thread.file_empty", { name: file.name });
  return undefined;
}

/** Media types as people call them: PNG, JPEG, PDF. */
function kinds(types: string[]): string[] {
  return types.map((type) => {
    const [family = "", name = ""] = type.split("/");
    return (name === "*" ? family : name === "plain" ? "txt" : name.replace(/^x-|\+.*$/g, "").split(".").at(-1)!).toUpperCase();
  });
}

/** Pictures that are shown; of those that can carry scripts, none. */
export function isPicture(type: string): boolean {
  return /^image\/(png|jpeg|gif|webp|avif)$/.test(type);
}
