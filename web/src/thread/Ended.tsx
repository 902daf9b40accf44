import { useScene } from "./context.ts";

/** Stands in the composer's place once the conversation takes no more messages. */
export function Ended() {
  const { chat, t } = useScene();
  return (
    <div class="gate ended">
      <button type="button" class="button primary" data-focus onClick={() => chat.fresh()}>
        {t("thread.fresh")}
      </button>
    </div>
  );
}
