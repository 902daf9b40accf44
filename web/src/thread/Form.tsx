import { useId, useMemo, useRef, useState } from "preact/hooks";
import type { FormItem } from "../core/types.ts";
import { useScene } from "./context.ts";
import { answerOf, fault, fieldsOf, type Field, type Values } from "./fields.ts";
import { memo } from "./memo.ts";

/** Fields to fill in, sent as one message. */
export const Form = memo(({ item, disabled }: { item: FormItem; disabled: boolean }) => {
  const { chat, t, alarm } = useScene();
  const id = useId();
  const fields = useMemo(() => fieldsOf(item.fields), [item.fields]);
  const [values, setValues] = useState<Values>(new Map());
  const [faults, setFaults] = useState<ReadonlyMap<string, string>>(new Map());
  const form = useRef<HTMLFormElement>(null);

  const submit = (e: Event) => {
    e.preventDefault();
    const wrong = fields.flatMap((field) => {
      const what = fault(field, values.get(field.name), t);
      return what ? [{ field, what }] : [];
    });
    setFaults(new Map(wrong.map(({ field, what }) => [field.name, what])));
    const first = wrong[0];
    if (!first) return chat.send(answerOf(fields, values, t));
    form.current?.querySelectorAll<HTMLElement>("[data-field]")[fields.indexOf(first.field)]?.focus();
    alarm(`${first.field.label}: ${first.what}`);
  };

  return (
    <form class="card" ref={form} onSubmit={submit} noValidate aria-label={item.title || t("thread.form")}>
      {item.title && (
        <p class="title" dir="auto">
          {item.title}
        </p>
      )}
      <fieldset class="fields" disabled={item.answered || disabled}>
        {fields.map((field, i) => (
          <div class={field.type === "checkbox" ? "row tick" : "row"} key={field.name}>
            <label for={`${id}-${i}`} dir="auto">
              {field.label}
              {!field.required && field.type !== "checkbox" && <span class="optional"> {t("thread.optional")}</span>}
            </label>
            <Input field={field} id={`${id}-${i}`} value={values.get(field.name)} fault={faults.get(field.name)} change={(value) => setValues(new Map(values).set(field.name, value))} />
            {(faults.get(field.name) ?? field.hint) && (
              <p class={faults.get(field.name) ? "hint fault" : "hint"} id={`${id}-${i}-hint`} dir="auto">
                {faults.get(field.name) ?? field.hint}
              </p>
            )}
          </div>
        ))}
      </fieldset>
      {!item.answered && (
        <div class="buttons">
          <button type="submit" class="button primary" disabled={disabled}>
            {t("thread.send")}
          </button>
        </div>
      )}
    </form>
  );
});

function Input(props: { field: Field; id: string; value: string | boolean | undefined; fault: string | undefined; change(value: string | boolean): void }) {
  const { field, id, value, change } = props;
  const { t } = useScene();
  const common = {
    id,
    "data-field": true,
    required: field.required,
    "aria-invalid": props.fault ? true : undefined,
    "aria-describedby": props.fault || field.hint ? `${id}-hint` : undefined,
  };
  if (field.type === "checkbox") {
    return <input type="checkbox" {...common} checked={value === true} onChange={(e) => change(e.currentTarget.checked)} />;
  }
  if (field.type === "select") {
    return (
      <select class="input" {...common} value={String(value ?? "")} onChange={(e) => change(e.currentTarget.value)}>
        <option value="">{t("thread.choose")}</option>
        {field.options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    );
  }
  const type = (field.type === "number" ? "text" : field.type) as "text"; // the types of JSX want one at a time
  return (
    <input
      class="input"
      {...common}
      type={type}
      inputMode={field.type === "number" ? (field.whole ? "numeric" : "decimal") : undefined}
      autocomplete={field.type === "email" || field.type === "tel" ? field.type : undefined}
      dir={field.type === "text" ? "auto" : undefined}
      maxLength={field.maxLength}
      value={String(value ?? "")}
      onInput={(e) => change(e.currentTarget.value)}
    />
  );
}
