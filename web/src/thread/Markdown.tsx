import { createContext } from "preact";
import { useContext, useMemo, useRef, useState } from "preact/hooks";
import type { Inline } from "../core/inline.ts";
import { blocks, type Block, type Doc } from "../core/markdown.ts";
import type { Citation } from "../core/types.ts";
import { CopyButton } from "./Actions.tsx";
import { Mark } from "./Citation.tsx";
import { useScene } from "./context.ts";
import { memo } from "./memo.ts";

/** Finds the citation of a number. It is the same function for the life of an answer, so
 * that a new citation does not draw the blocks again that stand already. */
const Cited = createContext<(n: number) => Citation | undefined>(() => undefined);

/** An answer's text. Blocks that are finished keep their object while it grows, and are not
 * drawn again. */
export function Markdown(props: { text: string; citations: Citation[]; images: string[]; growing: boolean }) {
  const { text, citations, images, growing } = props;
  const doc = useRef<Doc | undefined>(undefined);
  const known = useRef(new Map<number, Citation>()).current;
  const cited = useRef((n: number) => known.get(n)).current;
  useMemo(() => {
    known.clear();
    for (const one of citations) known.set(one.mark, one);
  }, [citations]);
  const read = useMemo(() => blocks(text, { marks: new Set(known.keys()), images }, growing, doc.current), [text, citations, images, growing]);
  doc.current = read;
  return (
    <Cited.Provider value={cited}>
      <div class="words">
        <Blocks blocks={read.blocks} />
      </div>
    </Cited.Provider>
  );
}

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return (
    <>
      {blocks.map((block, i) => (
        <One key={i} block={block} />
      ))}
    </>
  );
}

// A list or a table has one direction: an element finds its own (dir="auto") only in words
// that are not in another that does.
const One = memo(({ block }: { block: Block }) => {
  switch (block.type) {
    case "paragraph":
      return (
        <p dir="auto">
          <Text nodes={block.children} />
        </p>
      );
    case "heading":
      // All of one level below the speaker's: models count as they like.
      return (
        <p class={block.level < 3 ? "heading big" : "heading"} role="heading" aria-level={4} dir="auto">
          <Text nodes={block.children} />
        </p>
      );
    case "code":
      return <Code lang={block.lang} text={block.text} />;
    case "list":
      return block.ordered ? (
        <ol start={block.start} dir="auto">
          {block.items.map((item, i) => (
            <Item key={i} blocks={item} />
          ))}
        </ol>
      ) : (
        <ul dir="auto">
          {block.items.map((item, i) => (
            <Item key={i} blocks={item} />
          ))}
        </ul>
      );
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.children} />
        </blockquote>
      );
    case "table":
      return <Table table={block} />;
    case "rule":
      return <hr />;
  }
});

/** An item of a list. One that is a single paragraph is drawn tight. */
const Item = memo(({ blocks }: { blocks: Block[] }) => (
  <li>
    {blocks.map((block, i) => (i === 0 && block.type === "paragraph" ? <Text key={i} nodes={block.children} /> : <One key={i} block={block} />))}
  </li>
));

function Code({ lang, text }: { lang: string; text: string }) {
  const { t } = useScene();
  return (
    <div class="code">
      <p class="bar">
        <span>{lang || t("thread.code")}</span>
        <CopyButton class="act" text={text} label={t("thread.copy_code")} title={t("thread.copy_code")} />
      </p>
      <pre tabIndex={0} role="group" aria-label={t("thread.code")} dir="ltr">
        <code>{text}</code>
      </pre>
    </div>
  );
}

type TableBlock = Extract<Block, { type: "table" }>;

function Table({ table }: { table: TableBlock }) {
  const { t } = useScene();
  return (
    <div class="table" tabIndex={0} role="group" aria-label={t("thread.table")} dir="auto">
      <table>
        <thead>
          <tr>
            {table.head.map((cell, i) => (
              <th key={i} scope="col" class={table.align[i]}>
                <Text nodes={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, i) => (
            <Row key={i} row={row} align={table.align} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Row = memo(({ row, align }: { row: Inline[][]; align: TableBlock["align"] }) => (
  <tr>
    {align.map((side, i) => (
      <td key={i} class={side}>
        <Text nodes={row[i] ?? []} />
      </td>
    ))}
  </tr>
));

function Text({ nodes }: { nodes: readonly Inline[] }) {
  return (
    <>
      {nodes.map((node, i) => (
        <Node key={i} node={node} glued={nodes[i + 1]?.type === "mark"} />
      ))}
    </>
  );
}

/** Glued: a number follows, which must not begin a line of its own. */
function Node({ node, glued }: { node: Inline; glued: boolean }) {
  const cited = useContext(Cited);
  switch (node.type) {
    case "text":
      return <>{glued ? node.text.replace(/ ?$/, "\u2060") : node.text}</>;
    case "strong":
      return (
        <strong>
          <Text nodes={node.children} />
        </strong>
      );
    case "em":
      return (
        <em>
          <Text nodes={node.children} />
        </em>
      );
    case "del":
      return (
        <del>
          <Text nodes={node.children} />
        </del>
      );
    case "code":
      return <code>{node.text}</code>;
    case "link":
      return (
        <>
          <a href={node.href} target="_blank" rel="noopener noreferrer nofollow">
            <bdi>
              <Text nodes={node.children} />
            </bdi>
          </a>
          {node.host && <span class="host"> ({node.host})</span>}
        </>
      );
    case "image":
      return <Picture src={node.src} alt={node.alt} />;
    case "mark": {
      const citation = cited(node.n);
      return citation ? <Mark citation={citation} /> : null;
    }
    case "break":
      return <br />;
  }
}

/** A picture has its place before it is there; one that cannot be had is its description. */
function Picture({ src, alt }: { src: string; alt: string }) {
  const [lost, setLost] = useState(false);
  if (lost) return <>{alt}</>;
  return <img class="shown" src={src} alt={alt} loading="lazy" decoding="async" referrerpolicy="no-referrer" onError={() => setLost(true)} />;
}
