import { useEffect, useState } from "preact/hooks";
import { bytes } from "../core/amounts.ts";
import { withoutBidi } from "../core/bidi.ts";
import type { Upload } from "../core/types.ts";
import { useScene } from "./context.ts";
import { isPicture } from "./files.ts";
import { Icon } from "./Icon.tsx";
import { useSeconds } from "./Status.tsx";

/** The files that go with the next message. */
export function Uploads({ uploads }: { uploads: Upload[] }) {
  const { t } = useScene();
  return (
    <ul class="uploads" aria-label={t("thread.files")}>
      {uploads.map((upload) => (
        <One key={upload.key} upload={upload} />
      ))}
    </ul>
  );
}

function One({ upload }: { upload: Upload }) {
  const { chat, t } = useScene();
  const name = withoutBidi(upload.name);
  const left = useSeconds(upload.retryAt);
  return (
    <li class={`upload ${upload.state}`}>
      {isPicture(upload.type) ? <Thumbnail blob={upload.blob} /> : <Icon name="file" />}
      <span class="caption">
        <span class="name">
          <bdi>{name}</bdi>
        </span>
        {upload.state === "sending" ? (
          <progress max={upload.bytes || 1} value={upload.sent} aria-label={t("thread.uploading", { name })} />
        ) : (
          <span class="size">{upload.state === "failed" ? `${upload.error ?? t("thread.not_sent")} ${left > 0 ? t("thread.retry_in", { n: left }) : ""}` : bytes(t, upload.bytes)}</span>
        )}
      </span>
      {upload.state === "failed" && (
        <button type="button" class="act" disabled={left > 0} onClick={() => chat.retryUpload(upload.key)} aria-label={t("thread.resend_it", { text: name })} title={t("thread.try_again")}>
          <Icon name="again" />
        </button>
      )}
      <button type="button" class="act" onClick={() => chat.cancelUpload(upload.key)} aria-label={t("thread.remove", { name })} title={t("thread.remove", { name })}>
        <Icon name="close" />
      </button>
    </li>
  );
}

function Thumbnail({ blob }: { blob: Blob }) {
  const [url, setURL] = useState<string | undefined>();
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setURL(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url ? <img src={url} alt="" /> : <span class="blank" />;
}
