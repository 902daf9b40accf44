import { bytes, either } from "../core/amounts.ts";
import type { T } from "../core/i18n.ts";
import type { WidgetSettings } from "../core/types.ts";

type Rules = NonNullable<WidgetSettings["files"]>;

/** Why a file cannot be sent, in words for the customer. The server looks again. */
export function refusal(file: { name: string; type: string; size: number }, rules: Rules, t: T): string | undefined {
  if (!rules.types.some((type) => type === file.type || (type.endsWith("/*") && file.type.startsWith(type.slice(0, -1))))) {
    return t("thread.file_type", { name: file.name, types: either(t, kinds(rules.types)) });
  }
  if (file.size > rules.bytes) return t("thread.file_large", { name: file.name, size: bytes(t, file.size), limit: bytes(t, rules.bytes) });
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

/** The files of a drop or a paste that may be sent, and why the first of the others not. */
export function sortOut(files: Iterable<File>, rules: Rules, t: T): { good: File[]; refused: string | undefined } {
  const good: File[] = [];
  let refused: string | undefined;
  for (const file of files) {
    const why = refusal(file, rules, t);
    if (why) refused ??= why;
    else good.push(file);
  }
  return { good, refused };
}
