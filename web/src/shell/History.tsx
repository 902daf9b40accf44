import { ago } from "../core/amounts.ts";
import type { T } from "../core/i18n.ts";
import type { Entry, State } from "../core/types.ts";
import { Drawing, Glyph } from "./Glyph.tsx";

interface Props {
  t: T;
  list: State["list"];
  /** The conversation that is open. */
  current?: string;
  onOpen(id: string): void;
  onFresh(): void;
  /** Loads the list, or more of it. */
  onLoad(more?: boolean): void;
  /** In a panel the list takes the conversation's place, and one goes back to it. */
  onBack?(): void;
}

/** The visitor's conversations, newest first. */
export function History({ t, list, current, onOpen, onFresh, onLoad, onBack }: Props) {
  return (
    <section class="history" aria-label={t("shell.history")}>
      <div class="history-head">
        {onBack && (
          <button class="tool" type="button" aria-label={t("shell.back")} title={t("shell.back")} onClick={onBack}>
            <Drawing name="back" d="m14.5 5.5-6.5 6.5 6.5 6.5" />
          </button>
        )}
        <h2 class="history-title" tabIndex={-1}>
          {t("shell.history")}
        </h2>
        <button class="tool" type="button" aria-label={t("shell.fresh")} title={t("shell.fresh")} onClick={onFresh}>
          <Drawing name="fresh" d="M12 5v14M5 12h14" />
        </button>
      </div>
      <div class="history-body">
        {list.error && (
          <p class="history-error" role="alert">
            {list.error}{" "}
            <button class="text-button" type="button" onClick={() => onLoad()}>
              {t("shell.try_again")}
            </button>
          </p>
        )}
        {list.entries.length > 0 && (
          <ul class="entries">
            {list.entries.map((entry) => (
              <Row key={entry.id} t={t} entry={entry} current={entry.id === current} onOpen={onOpen} />
            ))}
          </ul>
        )}
        {list.loading && list.entries.length === 0 && (
          <div class="ghosts" role="status" aria-label={t("shell.list_loading")}>
            <i />
            <i />
            <i />
          </div>
        )}
        {!list.loading && !list.error && list.entries.length === 0 && (
          <div class="history-empty">
            <Glyph name="bot" />
            <p class="strong">{t("shell.list_empty")}</p>
            <p>{t("shell.list_empty_more")}</p>
          </div>
        )}
        {list.more && (
          <button class="text-button older" type="button" disabled={list.loading} onClick={() => onLoad(true)}>
            {t("shell.list_more")}
          </button>
        )}
      </div>
    </section>
  );
}

function Row({ t, entry, current, onOpen }: { t: T; entry: Entry; current: boolean; onOpen(id: string): void }) {
  return (
    <li>
      <button class="entry" type="button" aria-current={current ? "true" : undefined} onClick={() => onOpen(entry.id)}>
        <span class="entry-title" dir="auto">
          {entry.title || t("shell.list_untitled")}
        </span>
        {entry.unread > 0 && (
          <span class="entry-unread">
            <span aria-hidden="true">{t.number(entry.unread)}</span>
            <span class="unseen">{t("shell.list_unread", { n: entry.unread })}</span>
          </span>
        )}
        <span class="entry-last" dir="auto">
          {entry.last}
        </span>
        <span class="entry-at">
          {entry.ended && `${t("shell.list_ended")} · `}
          <time dateTime={entry.at}>{ago(t, entry.at)}</time>
        </span>
      </button>
    </li>
  );
}
