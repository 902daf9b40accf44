import type { AgentItem } from "../core/types.ts";
import { useScene } from "./context.ts";
import { FileBubble } from "./FileBubble.tsx";
import { initials } from "./initials.ts";
import { memo } from "./memo.ts";
import { Time } from "./Time.tsx";
import { Words } from "./Words.tsx";

/** What a person of the company said. */
export const AgentMessage = memo(({ item }: { item: AgentItem }) => {
  const { t } = useScene();
  const name = item.name || t("thread.a_person");
  return (
    <article class="agent" part="message">
      <Avatar name={name} />
      <div class="column">
        <h3 class="speaker">
          <bdi>{name}</bdi> <Time at={item.at} />
        </h3>
        {item.text && (
          <div class="bubble">
            <Words text={item.text} />
          </div>
        )}
        {item.files.map((file) => (
          <FileBubble key={file.id} file={file} />
        ))}
      </div>
    </article>
  );
});

export function Avatar({ name }: { name: string }) {
  return (
    <span class="avatar" aria-hidden="true">
      {initials(name)}
    </span>
  );
}
