// A form of the server as fields, and what was filled in as a message.

import type { T } from "../core/i18n.ts";
import type { FormFields } from "../core/protocol.gen.ts";

export interface Field {
  name: string;
  label: string;
  hint?: string;
  type: "text" | "email" | "tel" | "date" | "number" | "checkbox" | "select";
  whole: boolean; // a number without a fraction
  options: string[];
  required: boolean;
  minLength?: number;
  maxLength: number;
}

/** By the names of fields, which may be any: "constructor" too. */
export type Values = ReadonlyMap<string, string | boolean>;

/** The fields that can be drawn. What a property has of the wrong type is ignored. */
export function fieldsOf(schema: FormFields): Field[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property !== "object" || property === null) return [];
    const p = property as Record<string, unknown>;
    const options = Array.isArray(p.enum) ? p.enum.filter((one) => typeof one === "string" || typeof one === "number").map(String) : [];
    return {
      name,
      label: text(p.title) ?? name,
      hint: text(p.description),
      type: options.length ? "select" : typeOf(p),
      whole: p.type === "integer",
      options,
      required: required.includes(name),
      minLength: typeof p.minLength === "number" ? p.minLength : undefined,
      maxLength: Math.min(typeof p.maxLength === "number" ? p.maxLength : 1000, 4000),
    };
  });
}

function typeOf(p: Record<string, unknown>): Field["type"] {
  if (p.type === "boolean") return "checkbox";
  if (p.type === "number" || p.type === "integer") return "number";
  return p.format === "email" || p.format === "tel" || p.format === "date" ? p.format : "text";
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value ? value : undefined;
}

/** What is wrong with a value, in words for the customer. A pattern of the schema is left to
 * whoever reads the message: one that takes forever would hold up the host's page. */
export function fault(field: Field, value: string | boolean | undefined, t: T): string | undefined {
  if (field.type === "checkbox") return field.required && value !== true ? t("thread.field_tick") : undefined;
  const given = typeof value === "string" ? value.trim() : "";
  if (!given) return field.required ? t("thread.field_missing") : undefined;
  if (field.type === "email" && !/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(given)) return t("thread.field_email");
  if (field.type === "number" && !(field.whole ? /^[+-]?\d+$/ : /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/).test(given)) return t("thread.field_number");
  if (field.type === "tel" && (!/^[+\d\s()./-]+$/.test(given) || given.replace(/\D/g, "").length < 3)) return t("thread.field_tel");
  if (field.minLength && given.length < field.minLength) return t("thread.field_short", { n: field.minLength });
  return undefined;
}

/** The message that answers the form: a line for each field that was filled in. A value
 * stays on its line, so that it cannot pass for another field. */
export function answerOf(fields: Field[], values: Values, t: T): string {
  return fields
    .flatMap((field) => {
      const value = values.get(field.name);
      if (field.type === "checkbox") return `${field.label}: ${t(value === true ? "thread.yes" : "thread.no")}`;
      const given = typeof value === "string" ? value.replace(/\s+/g, " ").trim() : "";
      return given ? `${field.label}: ${given}` : [];
    })
    .join("\n");
}
