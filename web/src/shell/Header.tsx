import type { ComponentChildren } from "preact";
import type { T } from "../core/i18n.ts";
import type { Thread } from "../core/types.ts";
import { initials } from "../thread/initials.ts";
import { Glyph } from "./Glyph.tsx";

interface Props {
  t: T;
  title: string;
  thread: Thread;
  /** Of a page of its own. Elsewhere the page around it has a header and a first heading. */
  page: boolean;
  /** Asks for a person; not before the settings are there. */
  onPerson?(): void;
  onClose?(): void;
  /** The menu and its button. */
  children: ComponentChildren;
}

/** Who is spoken to, and the ways to a person, to more and out. */
export function Header({ t, title, thread, page, onPerson, onClose, children }: Props) {
  const { owner, ended } = thread;
  const Bar = page ? "header" : "div";
  const Heading = page ? "h1" : "h2";
  return (
    <Bar class="bar" part="header">
      <Avatar owner={owner} />
      <div class="who">
        <Heading class="name">
          <bdi>{title}</bdi>
        </Heading>
        <p class="kicker">
          {stateLine(t, thread)}
          {owner.kind === "bot" && !ended && <span class="wordy"> · {t("shell.state_sources")}</span>}
        </p>
      </div>
      <div class="tools">
        {owner.kind === "bot" && !ended && (
          <button class="tool named" type="button" aria-label={t("shell.person")} title={t("shell.person")} disabled={!onPerson} onClick={onPerson}>
            <Glyph name="person" />
            <span class="tool-name">{t("shell.person")}</span>
          </button>
        )}
        {children}
        {onClose && (
          <button class="tool" type="button" aria-label={t("shell.close")} title={t("shell.close")} onClick={onClose}>
            <Glyph name="close" />
          </button>
        )}
      </div>
    </Bar>
  );
}

function Avatar({ owner }: { owner: Thread["owner"] }) {
  const letters = owner.kind === "agent" ? initials(owner.name ?? "") : "";
  return (
    <span class={`face ${owner.kind}`} aria-hidden="true">
      {letters || <Glyph name={owner.kind === "queue" ? "clock" : owner.kind === "agent" ? "person" : "bot"} />}
    </span>
  );
}

export function stateLine(t: T, { owner, ended, queue }: Thread): string {
  if (ended) return t("shell.state_ended");
  if (owner.kind === "agent") return owner.name ? t("shell.state_agent", { name: owner.name }) : t("shell.state_person");
  if (owner.kind === "queue") return queue?.place ? t("shell.state_place", { place: queue.place }) : t("shell.state_queue");
  return t("shell.state_bot");
}
