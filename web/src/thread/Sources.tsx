import { useState } from "preact/hooks";
import type { Citation } from "../core/types.ts";
import { Mark } from "./Citation.tsx";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";
import { byDocument, sourceLink, titleOf, used } from "./source.ts";

/** More are shown when they are asked for. */
const few = 3;

/** The documents that a finished answer rests on, each with the numbers of its passages. */
export function Sources({ text, citations }: { text: string; citations: Citation[] }) {
  const { t, base } = useScene();
  const [all, setAll] = useState(false);
  const documents = byDocument(used(text, citations));
  if (documents.length === 0) return null;
  const hidden = all || documents.length <= few + 1 ? 0 : documents.length - few;
  return (
    <div class="sources">
      <h4>{t("thread.sources")}</h4>
      <ol>
        {documents.slice(0, documents.length - hidden).map((passages) => {
          const first = passages[0]!;
          const title = titleOf(first, t);
          const href = sourceLink(first, base);
          return (
            <li key={first.mark}>
              <span class="marks">
                {passages.map((c) => (
                  <Mark key={c.mark} citation={c} />
                ))}
              </span>
              {href ? (
                <a class="source" href={href} target="_blank" rel="noopener nofollow" aria-label={t("thread.open_it", { title })}>
                  <bdi>{title}</bdi>
                  <Icon name="open" />
                </a>
              ) : (
                <bdi class="source">{title}</bdi>
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
