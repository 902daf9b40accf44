import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { AnswerItem, CustomerItem, Item, State, Thread } from "../core/types.ts";
import { Later } from "../later/Later.tsx";
import { Answer } from "./Answer.tsx";
import { useScene } from "./context.ts";
import { CustomerMessage } from "./CustomerMessage.tsx";
import { Follower } from "./follower.ts";
import { Line } from "./Line.tsx";
import { memo } from "./memo.ts";
import { NewMessages } from "./NewMessages.tsx";
import { distant, Separator } from "./Time.tsx";
import { Waiting } from "./Waiting.tsx";
import { Welcome } from "./Welcome.tsx";

/** What was said, in a box that scrolls. It is a log that announces nothing by itself: the
 * Announcer does, once, what this would do at each word. */
export function Log({ state, retrying }: { state: State; retrying: boolean }) {
  const { t } = useScene();
  const { thread, settings } = state;
  const { items } = thread;
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follower = useRef<Follower | undefined>(undefined);
  const [leftAt, setLeftAt] = useState<number | undefined>(); // how many items there were when the reader left the end
  const count = useRef(0);
  count.current = items.length;
  const sentHere = useRef(new Set<string>()).current;

  useLayoutEffect(() => {
    const made = new Follower(box.current!, content.current!, (atEnd) => setLeftAt(atEnd ? undefined : count.current));
    follower.current = made;
    return () => made.destroy();
  }, []);

  const groups = useMemo(() => exchanges(items), [items]);
  const flags = useMemo(() => flagsOf(thread), [items, thread.owner, thread.ended, thread.running, thread.readByAgent, thread.consentNeeded]);
  const waits = retrying ? { accepted: true } : waitsFor(thread);

  // A message that is sent goes to the top of the view: its group is as high as the view
  // from then on, and its end is gone to.
  const last = items.findLast((item) => item.type === "customer");
  const sending = last?.type === "customer" && last.state === "sending" ? last.key : undefined;
  if (sending) sentHere.add(sending);
  useLayoutEffect(() => {
    if (sending) follower.current?.toEnd(true);
  }, [sending]);
  useLayoutEffect(() => {
    follower.current?.toEnd(false);
  }, [thread.id, thread.loading]);
  useLayoutEffect(() => follower.current?.grew());
  useEffect(() => () => sentHere.clear(), []);

  const tail = (
    <>
      {waits && <Waiting activity={waits.activity} accepted={waits.accepted} />}
      {thread.owner.kind === "queue" && !thread.ended && <Later part="Queue" t={t} queue={thread.queue ?? {}} hours={settings?.hours} />}
      {thread.typing && !thread.ended && <Later part="Typing" t={t} name={thread.typing.name || thread.owner.name || t("thread.a_person")} after={items.at(-1)?.key} />}
      {(thread.csat === "requested" || thread.csat === "given") && <Later part="Csat" t={t} given={thread.csat === "given"} />}
    </>
  );
  const fresh = leftAt === undefined ? 0 : items.slice(leftAt).filter((item) => item.type === "agent" || item.type === "answer").length;
  return (
    <>
      <div class="scroller" ref={box} role="log" aria-live="off" aria-label={t("thread.log")} tabIndex={0} part="log">
        {settings && !thread.loading && <Welcome settings={settings} asks={items.length === 0 && !thread.consentNeeded && !thread.ended} />}
        <div class="log" ref={content}>
          {thread.loading && <Skeleton />}
          {groups.map((group, i) => (
            <Exchange
              key={group[0]!.key}
              items={group}
              before={timeOf(groups[i - 1]?.at(-1))}
              again={within(group, flags.again)}
              edit={within(group, flags.edit)}
              seen={within(group, flags.seen)}
              person={thread.owner.kind === "bot" && !thread.ended}
              ended={thread.ended}
              reserved={i === groups.length - 1 && group.some((item) => sentHere.has(item.key))}
              tail={i === groups.length - 1 ? tail : undefined}
            />
          ))}
          {groups.length === 0 && tail}
        </div>
      </div>
      {leftAt !== undefined && <NewMessages count={fresh} go={() => follower.current?.toEnd(true)} />}
    </>
  );
}

/** A customer's message and what came of it. */
const Exchange = memo(
  (props: {
    items: Item[];
    before: string | undefined;
    again: string | undefined;
    edit: string | undefined;
    seen: string | undefined;
    person: boolean;
    ended: boolean;
    reserved: boolean;
    tail: ComponentChildren;
  }) => {
    const { t } = useScene();
    const { items, again, edit, seen, person, ended } = props;
    let before = props.before;
    return (
      <div class={props.reserved ? "exchange reserved" : "exchange"}>
        {items.map((item) => {
          const at = timeOf(item);
          const apart = at !== undefined && distant(before, at);
          before = at ?? before;
          return (
            <div class="entry" key={item.key}>
              {apart && <Separator at={at} />}
              {item.type === "customer" && <CustomerMessage item={item} editable={item.key === edit} seen={item.key === seen} />}
              {item.type === "answer" && <Answer item={item} again={item.key === again} person={person} />}
              {item.type === "agent" && <Later part="AgentMessage" t={t} item={item} />}
              {item.type === "line" && <Line item={item} />}
              {item.type === "choices" && <Later part="Choices" t={t} item={item} disabled={ended} />}
              {item.type === "form" && <Later part="Form" t={t} item={item} disabled={ended} />}
            </div>
          );
        })}
        {props.tail}
      </div>
    );
  },
);

function Skeleton() {
  const { t } = useScene();
  return (
    <div class="skeleton" role="img" aria-label={t("thread.loading")}>
      <i />
      <i />
      <i />
    </div>
  );
}

/** Each message of the customer begins one; what is before the first is one too. */
export function exchanges(items: Item[]): Item[][] {
  const groups: Item[][] = [];
  for (const item of items) {
    if (item.type === "customer" || groups.length === 0) groups.push([item]);
    else groups.at(-1)!.push(item);
  }
  return groups;
}

function timeOf(item: Item | undefined): string | undefined {
  if (!item || item.type === "choices" || item.type === "form") return undefined;
  return item.type === "answer" ? item.startedAt : item.at;
}

function within(group: Item[], key: string | undefined): string | undefined {
  return key !== undefined && group.some((item) => item.key === key) ? key : undefined;
}

/** Which answer may be given again, which message may be changed and sent again, and below
 * which one it says "Seen". */
export function flagsOf(thread: Thread): { again?: string; edit?: string; seen?: string } {
  const { items } = thread;
  const bot = thread.owner.kind === "bot" && !thread.ended && !thread.consentNeeded;
  const said = items.findLast((item) => item.type === "customer" || item.type === "answer");
  const mine = items.findLast((item) => item.type === "customer");
  const seen = items.findLast((item) => item.type === "customer" && item.seq !== undefined && item.seq <= thread.readByAgent);
  return {
    again: bot && !thread.running && said?.type === "answer" && !said.replacedBy ? said.key : undefined,
    edit: bot && mine?.type === "customer" && mine.text && mine.state !== "sending" ? mine.key : undefined,
    seen: seen?.key,
  };
}

/** Whether an answer is on its way of which nothing can be read yet. A message is waited
 * for as soon as it is sent, not only once the server has accepted it. */
export function waitsFor(thread: Thread): { accepted: boolean; activity?: string } | undefined {
  const { items, running } = thread;
  if (running !== undefined) {
    const answer = items.findLast((item): item is AnswerItem => item.type === "answer" && item.turn === running);
    return answer?.text ? undefined : { accepted: true, activity: answer?.activity };
  }
  const last = items.at(-1);
  if (last?.type !== "customer" || thread.owner.kind !== "bot" || thread.ended || !last.text) return undefined;
  const accepted = last.state === "sent";
  if (last.state === "failed" || last.waits || (!accepted && (thread.link === "reconnecting" || thread.link === "offline"))) return undefined;
  return answered(last, items) ? undefined : { accepted };
}

function answered(message: CustomerItem, items: Item[]): boolean {
  return message.turn !== undefined && items.some((item) => item.type === "answer" && item.turn === message.turn && !item.running);
}
