import { Fragment } from "preact";
import { withoutBidi } from "../core/bidi.ts";

const address = /https?:\/\/[^\s<>"'`]+/g;

/** Words of a person, as they wrote them: no Markdown, but addresses can be followed. */
export function Words({ text }: { text: string }) {
  const plain = withoutBidi(text);
  const parts = [];
  let from = 0;
  for (const m of plain.matchAll(address)) {
    const href = m[0].replace(/[.,;:!?)\]}]+$/, "");
    if (!URL.canParse(href)) continue;
    parts.push(
      <Fragment key={m.index}>
        {plain.slice(from, m.index)}
        <a href={href} target="_blank" rel="noopener noreferrer nofollow">
          {href}
        </a>
      </Fragment>,
    );
    from = m.index + href.length;
  }
  return (
    <p class="words plain" dir="auto">
      {parts}
      {plain.slice(from)}
    </p>
  );
}
