import { useState } from "preact/hooks";
import { withoutBidi } from "../core/bidi.ts";
import type { Citation } from "../core/types.ts";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";
import { sourceLink, used } from "./source.ts";

/** More are shown when they are asked for. */
const few = 3;

/** The documents that a finished answer rests on. */
export function Sources({ text, citations }: { text: string; citations: Citation[] }) {
  const { t, base, cite } = useScene();
  const [all, setAll] = useState(false);
  const cited = used(text, citations);
  if (cited.length === 0) return null;
  const hidden = all || cited.length <= few + 1 ? 0 : cited.length - few;
  return (
    <div class="sources">
      <h4>{t("thread.sources")}</h4>
      <ol>
        {cited.slice(0, cited.length - hidden).map((c) => {
          const title = withoutBidi(c.title) || t("thread.untitled");
          const href = sourceLink(c, base);
          return (
            <li key={c.mark}>
              <button type="button" class="source" onClick={(e) => cite.open(c, e.currentTarget)} aria-haspopup="dialog">
                <span class="number">{t.number(c.mark)}</span>
                <span class="name">
                  <bdi>{title}</bdi>
                </span>
              </button>
              {href && (
                <a class="act" href={href} target="_blank" rel="noopener nofollow" aria-label={t("thread.open_it", { title })} title={t("thread.open")}>
                  <Icon name="open" />
                </a>
              )}
            </li>
          );
        })}
      </ol>
      {hidden > 0 && (
        <button type="button" class="text-button" onClick={() => setAll(true)}>
          {t("thread.more_sources", { n: hidden })}
        </button>
      )}
    </div>
  );
}
