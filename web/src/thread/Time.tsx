import { useScene } from "./context.ts";

/** The time of a message: there for the eye when the message is pointed at or focused. */
export function Time({ at }: { at: string }) {
  const { t } = useScene();
  return (
    <time class="time" dateTime={at} title={t.moment(at)}>
      {t.time(at)}
    </time>
  );
}

/** Stands between messages that are a day, or more than an hour, apart. */
export function Separator({ at }: { at: string }) {
  const { t } = useScene();
  return (
    <p class="separator">
      <time dateTime={at}>{t.moment(at)}</time>
    </p>
  );
}

/** Whether a separator belongs between two messages. */
export function distant(before: string | undefined, at: string): boolean {
  if (!before) return true;
  const [a, b] = [new Date(before), new Date(at)];
  return b.getTime() - a.getTime() > 3_600_000 || a.toDateString() !== b.toDateString();
}
