import { useEffect, useRef, useState } from "preact/hooks";
import { bytes } from "../core/amounts.ts";
import { withoutBidi } from "../core/bidi.ts";
import type { File } from "../core/types.ts";
import { useScene } from "./context.ts";
import { isPicture } from "./files.ts";
import { Icon } from "./Icon.tsx";

/** A file in the log. Pictures are fetched when they come into view, others when they are
 * asked for. */
export function FileBubble({ file }: { file: File }) {
  const { chat, t, alarm } = useScene();
  const [url, setURL] = useState<string | undefined>();
  const button = useRef<HTMLButtonElement>(null);
  const name = withoutBidi(file.name);
  const picture = isPicture(file.type);

  useEffect(() => {
    if (!picture) return;
    const watch = new IntersectionObserver(([entry]) => {
      if (!entry!.isIntersecting) return;
      watch.disconnect();
      chat.fileURL(file.id).then(setURL, () => {}); // without a preview it can still be downloaded
    });
    watch.observe(button.current!);
    return () => watch.disconnect();
  }, [file.id]);

  const download = async () => {
    try {
      const link = document.createElement("a");
      link.href = url ?? (await chat.fileURL(file.id));
      link.download = name;
      link.click();
    } catch {
      alarm(t("thread.file_failed", { name }));
    }
  };
  return (
    <button type="button" class={picture ? "file picture" : "file"} ref={button} onClick={download} title={t("thread.download", { name, size: bytes(t, file.bytes) })}>
      {picture ? url ? <img src={url} alt="" /> : <span class="blank" /> : <Icon name="file" />}
      <span class="caption">
        <span class="name">
          <bdi>{name}</bdi>
        </span>
        <span class="size">{bytes(t, file.bytes)}</span>
      </span>
    </button>
  );
}
