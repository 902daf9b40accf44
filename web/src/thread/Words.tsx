import { Fragment } from "preact";
import { withoutBidi } from "../core/bidi.ts";

const address = /https?:\/\/[^\s<>"'`]+/g;

/** Words of a person, as they wrote them: no Markdown, but addresses can be followed. */
export function Words({ text }: { text: string }) {
  const plain = withoutBidi(text);
  const parts = [];
  let from = 0;
  for (const m of plain.matchAll(address)) {
    let end = m[0].length; // what ends the sentence is not part of the address
    while (".,;:!?)]}".includes(m[0][end - 1]!)) end--;
    const href = m[0].slice(0, end);
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
