import { h, type ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { T } from "../core/i18n.ts";
import { later, parts, type Parts } from "./later.ts";

/** The parts that are drawn. */
type Name = { [N in keyof Parts]: Parts[N] extends ComponentType<any> ? N : never }[keyof Parts];

type PropsOf = { [N in Name]: Parts[N] extends ComponentType<infer P> ? P : never };

/** Draws a part of the second script: nothing until that is here, or that it cannot be had. */
export function Later<N extends Name>(props: { part: N; t: T; key?: string } & PropsOf[N]) {
  const { part, t } = props;
  const [failed, setFailed] = useState(false);
  const [, setHere] = useState<object>();
  const load = () => {
    setFailed(false);
    later(t).then(
      () => setHere({}),
      () => setFailed(true),
    );
  };
  useEffect(() => {
    if (!parts || !t.complete()) load();
  }, [t]);
  if (parts && t.complete()) return h(parts[part as Name] as ComponentType<object>, props);
  if (!failed) return null;
  // After a new release this page's second script is gone, and only another page helps.
  return (
    <p class="not-loaded" role="alert">
      {t("shell.not_loaded")}{" "}
      <button type="button" onClick={load}>
        {t("shell.try_again")}
      </button>
    </p>
  );
}
