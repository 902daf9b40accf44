import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { State } from "../core/types.ts";
import { Later } from "../later/Later.tsx";
import { soon } from "../later/later.ts";
import { useScene } from "./context.ts";
import { Icon } from "./Icon.tsx";

/** A second press of the button that was "Send" is not meant for "Stop". */
const slip = 500; // ms

interface Props {
  state: State;
  /** What to put into it, from "edit": a new object each time. */
  given: { text: string } | undefined;
  /** What was begun in each conversation, for when it is shown again. */
  drafts: Map<string, string>;
  /** The last message of the customer, for the arrow key. */
  last: string | undefined;
  refused: string | undefined;
  offer(files: Iterable<File>): void;
}

/** Where the customer writes. */
export function Composer({ state, given, drafts, last, refused, offer }: Props) {
  const { chat, t } = useScene();
  const { thread, uploads, settings } = state;
  const id = useId();
  const place = thread.id ?? thread.key;
  const [text, setText] = useState(drafts.get(place) ?? "");
  const [editing, setEditing] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const sentAt = useRef(0);

  const limit = settings?.limits?.message_bytes ?? 32 * 1024;
  const over = bytesOver(text, limit);
  const sending = uploads.some((one) => one.state === "sending");
  const ready = uploads.some((one) => one.state === "ready");
  const written = text.trim() !== "";
  const canSend = (written || ready) && !sending && over <= 0;
  const running = thread.running !== undefined;

  const write = (next: string, edit: boolean) => {
    drafts.set(place, next);
    setText(next);
    setEditing(edit);
  };
  // Another conversation, or another person after a log-out, has a field of its own. What was
  // written before it was known which one is shown stays.
  const before = useRef(state);
  useLayoutEffect(() => {
    const { thread: was, settings: known } = before.current;
    before.current = state;
    if (was.key !== thread.key && known) write(drafts.get(place) ?? "", false);
  }, [thread.key, settings]);
  useEffect(() => {
    if (!given) return;
    write(given.text, true);
    field.current?.focus();
  }, [given]);
  // The end of what was put in is where one goes on.
  useEffect(() => {
    if (editing) field.current?.setSelectionRange(text.length, text.length);
  }, [editing, given]);

  const send = () => {
    if (!canSend) return;
    if (editing && running) chat.stop(); // its question is being replaced
    chat.send(text.trim());
    sentAt.current = Date.now();
    write("", false);
    field.current?.focus();
  };
  const stop = () => {
    if (Date.now() - sentAt.current > slip) chat.stop();
  };
  const key = (e: KeyboardEvent) => {
    // While an input method composes, its keys are its own; Safari tells by the code alone.
    if (e.isComposing || e.keyCode === 229) return;
    if (e.key === "Enter" && !e.shiftKey && !e.altKey && !e.ctrlKey && !e.metaKey) {
      e.preventDefault();
      send();
    } else if (e.key === "ArrowUp" && text === "" && last && !e.shiftKey) {
      e.preventDefault();
      write(last, true);
    } else if (e.key === "Escape" && editing) {
      e.preventDefault(); // or it closes the dialog that the panel is on phones
      e.stopPropagation();
      write("", false);
    }
  };
  const paste = (e: ClipboardEvent) => {
    const files = e.clipboardData?.files;
    if (!settings?.files || !files?.length) return;
    e.preventDefault();
    offer(files);
  };

  const wrong = over > 0 ? t("thread.too_long", { n: over }) : refused;
  return (
    <form
      class="composer"
      part="composer"
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      {editing && (
        <p class="editing">
          <Icon name="edit" />
          <span>{t("thread.editing")}</span>
          <button type="button" class="text-button" onClick={() => write("", false)}>
            {t("thread.cancel")}
          </button>
        </p>
      )}
      {uploads.length > 0 && <Later part="Uploads" t={t} uploads={uploads} />}
      {wrong && (
        <p class="wrong" id={`${id}-wrong`}>
          {wrong}
        </p>
      )}
      <div class="field">
        {settings?.files && (
          <>
            <input
              type="file"
              class="unseen"
              ref={picker}
              multiple
              tabIndex={-1}
              aria-hidden="true"
              accept={settings.files.types.join(",")}
              onChange={(e) => {
                offer(e.currentTarget.files ?? []);
                e.currentTarget.value = ""; // so that the same file can be picked again
              }}
            />
            <button type="button" class="round" onClick={() => picker.current?.click()} onPointerEnter={() => soon(t)} onFocus={() => soon(t)} aria-label={t("thread.attach")} title={t("thread.attach")}>
              <Icon name="attach" />
            </button>
          </>
        )}
        <label class="unseen" for="text">
          {t("thread.your_message")}
        </label>
        {/* The copy behind the field makes it as high as what is written. */}
        <div class="grow" data-text={text}>
          <textarea
            id="text"
            ref={field}
            name="text"
            rows={1}
            dir="auto"
            data-focus
            placeholder={t("thread.write")}
            autocomplete="off"
            enterkeyhint="send"
            aria-describedby={wrong ? `${id}-wrong` : undefined}
            aria-invalid={over > 0 || undefined}
            value={text}
            onInput={(e) => {
              write(e.currentTarget.value, editing);
              chat.typing(e.currentTarget.value);
            }}
            onKeyDown={key}
            onPaste={paste}
          />
        </div>
        {running && (written || ready) && (
          <button type="button" class="round" onClick={stop} aria-label={t("thread.stop")} title={t("thread.stop")}>
            <Icon name="stop" />
          </button>
        )}
        {running && !written && !ready ? (
          <button key="act" type="button" class="round primary" onClick={stop} aria-label={t("thread.stop")} title={t("thread.stop")}>
            <Icon name="stop" />
          </button>
        ) : (
          <button key="act" type="submit" class="round primary" disabled={!canSend} aria-label={t("thread.send")} title={sending ? t("thread.wait_for_files") : t("thread.send")}>
            <Icon name="send" />
          </button>
        )}
      </div>
    </form>
  );
}

/** By how many bytes a text is too long; it is counted only when it may be. */
function bytesOver(text: string, limit: number): number {
  return text.length * 3 <= limit ? 0 : new TextEncoder().encode(text).length - limit;
}
