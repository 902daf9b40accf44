import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { media, until } from "./dom.ts";
import { en } from "../words.ts";
import { translator } from "../../src/core/i18n.ts";
import type { Item, State } from "../../src/core/types.ts";
import { fakeChat, fakeState, type FakeChat } from "./fake.ts";

const { mount } = await import("../../src/shell/mount.tsx");
const { stateLine } = await import("../../src/shell/Header.tsx");
const { act } = await import("preact/test-utils");
const { later } = await import("../../src/later/later.ts");
await later();

const t = translator("en", en);
const answered: Item[] = [{ type: "customer", key: "1", text: "Hello?", at: "2026-11-01T10:00:00Z", state: "sent", seq: 1, turn: "t", files: [] }];
const entry = (id: string, more = {}) => ({ id, title: `About ${id}`, at: new Date().toISOString(), last: "…", unread: 0, ended: false, ...more });
const talking = (more: Partial<State["thread"]> = {}) => ({ ...fakeState().thread, id: "a", items: answered, ...more });

let app: HTMLElement = document.body;
let chat: FakeChat;
let mounted: ReturnType<typeof mount> | undefined;
let closed = 0;

async function draw(state: Partial<State> = {}, page = false): Promise<void> {
  app = document.createElement("div");
  document.body.append(app);
  chat = fakeChat(state);
  closed = 0;
  await act(() => {
    mounted = mount(app, { chat, t, base: "", page, seen: () => false, onClose: page ? undefined : () => closed++, onNotification() {} });
  });
}
afterEach(() => {
  mounted?.destroy();
  if (mounted) app.remove();
  mounted = undefined;
  localStorage.clear();
  media("min-width", false);
});

const button = (label: string, within: ParentNode = app) =>
  [...within.querySelectorAll<HTMLElement>("button")].find((it) => (it.getAttribute("aria-label") ?? it.textContent!.trim()) === label);
const press = (label: string) => act(() => button(label)!.click());
const key = (name: string) => act(() => void document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true })));
const asked = (method: string) => chat.calls.filter(([name]) => name === method);

test("who is spoken to is said in words", () => {
  const { thread } = fakeState();
  const lines = [
    thread,
    { ...thread, owner: { kind: "queue" as const } },
    { ...thread, owner: { kind: "queue" as const }, queue: { place: 2 } },
    { ...thread, owner: { kind: "agent" as const, name: "Mia" } },
    { ...thread, owner: { kind: "agent" as const } },
    { ...thread, ended: true },
  ].map((state) => stateLine(t, state));
  assert.deepEqual(lines, ["AI assistant", "You are in the queue", "In the queue, place 2", "You are talking to Mia", "You are talking to a person", "This conversation has ended"]);
});

test("a person can be asked for at any time, as long as nobody has come", async () => {
  await draw();
  await press("Talk to a person");
  assert.equal(asked("person").length, 1);
  await act(() => chat.set({ thread: talking({ owner: { kind: "agent", name: "Mia" } }) }));
  assert.equal(button("Talk to a person"), undefined);
  await press("Close chat");
  assert.equal(closed, 1);
});

test("a person is asked for once the settings are there and the visitor has agreed; the button leads to the consent", async () => {
  const { settings, thread } = fakeState();
  await draw({ settings: undefined });
  assert.equal((button("Talk to a person") as HTMLButtonElement).disabled, true);
  await act(() => chat.set({ settings: { ...settings!, consent: { text: "We keep it." } }, thread: { ...thread, consentNeeded: true } }));
  await press("Talk to a person");
  assert.deepEqual(asked("person"), []);
  assert.equal(document.activeElement, app.querySelector(".consent"));
  await act(() => chat.set({ thread }));
  await press("Talk to a person");
  assert.deepEqual(asked("person"), [["person"]]);
  assert.equal(document.activeElement, app.querySelector("textarea"), "the button goes");
});

test("the menu is moved in by arrows and letters, and Escape gives the focus back", async () => {
  await draw({ thread: talking() });
  await press("More");
  const at = () => document.activeElement!.textContent!.trim();
  assert.equal(at(), "Your conversations");
  await key("ArrowDown");
  assert.equal(at(), "New conversation");
  await key("End");
  assert.equal(at(), "End conversation");
  await key("ArrowDown");
  assert.equal(at(), "Your conversations");
  await key("d");
  assert.equal(at(), "Download transcript");
  await key("Escape");
  assert.equal(app.querySelector("[role=menu]"), null);
  assert.equal(document.activeElement, button("More"));
});

test("what is chosen in the menu is kept on this device", async () => {
  await draw();
  await press("More");
  await press("Read answers aloud when complete");
  const line = button("Read answers aloud when complete")!;
  assert.equal(line.getAttribute("aria-checked"), "true");
  assert.deepEqual(JSON.parse(localStorage.getItem("answerable:prefs")!), { sound: false, notify: false, whole: true });
});

test("ending is asked about first, and the rest is inert meanwhile", async () => {
  await draw({ thread: talking() });
  await press("More");
  await press("End conversation");
  assert.equal(document.activeElement, button("Keep it"));
  assert.ok(app.querySelector(".column")!.hasAttribute("inert"));
  await key("Escape");
  assert.equal(app.querySelector("[role=alertdialog]"), null);
  assert.equal(asked("end").length, 0);
  await press("More");
  await press("End conversation");
  await press("End it");
  assert.equal(asked("end").length, 1);
});

test("the list takes the conversation's place, and one goes back to what was begun", async () => {
  await draw({ thread: talking(), list: { entries: [entry("a"), entry("b", { unread: 2 }), entry("c", { ended: true })], loading: false, more: true } });
  await press("More");
  await press("Your conversations");
  assert.equal(asked("loadList").length, 1);
  assert.equal(document.activeElement?.textContent, "Your conversations");
  assert.ok(app.querySelector<HTMLElement>(".view:has(.thread)")!.hidden);
  assert.equal(app.querySelector("[aria-current]")!.textContent!.includes("About a"), true);
  assert.match(app.querySelectorAll(".entry")[1]!.textContent!, /2 new messages/);
  assert.match(app.querySelectorAll(".entry")[2]!.textContent!, /Ended/);
  await press("Show older");
  assert.deepEqual(asked("loadList").at(-1), ["loadList", true]);
  await act(() => app.querySelectorAll<HTMLElement>(".entry")[1]!.click());
  assert.deepEqual(asked("open"), [["open", "b"]]);
  assert.equal(app.querySelector(".history"), null);
  assert.equal(document.activeElement?.tagName, "TEXTAREA");
});

test("the list says when it is empty, loading or broken", async () => {
  await draw();
  await press("More");
  await press("Your conversations");
  assert.match(app.querySelector(".history")!.textContent!, /No conversations yet/);
  await act(() => chat.set({ list: { entries: [], loading: true, more: false } }));
  assert.equal(app.querySelector(".ghosts")!.getAttribute("aria-label"), "Loading your conversations");
  await act(() => chat.set({ list: { entries: [], loading: false, more: false, error: "No connection." } }));
  assert.match(app.querySelector("[role=alert]")!.textContent!, /No connection\./);
  await press("Try again");
  assert.equal(asked("loadList").length, 2);
});

test("a wide page has the list beside the conversation", async () => {
  await draw({ list: { entries: [entry("a")], loading: false, more: false } }, true);
  assert.equal(app.querySelector("aside .history"), null);
  await act(() => media("min-width", true));
  assert.ok(app.querySelector("aside .history"));
  assert.equal(button("Back to the conversation"), undefined);
  assert.equal(app.querySelector("h1")!.textContent, "Tidewhistle help");
  assert.equal(asked("loadList").length, 1);
});

test("where the server cannot be had, that is said, and one may try again", async () => {
  await draw({ settings: undefined, failed: "No connection." });
  assert.match(app.querySelector(".unreachable")!.textContent!, /cannot be reached.*No connection\./);
  await press("Try again");
  assert.equal(asked("start").length, 1);
});

test("news is heard and seen only by those who asked for it and look elsewhere", async () => {
  let tones = 0;
  const shown: string[] = [];
  class Node {
    connect = () => this;
    gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
    start = () => tones++;
    stop() {}
  }
  class Notice {
    static permission = "granted";
    static requestPermission = async () => "granted";
    constructor(title: string, { body }: { body: string }) {
      shown.push(`${title}: ${body}`);
    }
    close() {}
  }
  Object.assign(globalThis, { AudioContext: class { currentTime = 0; resume() {} }, OscillatorNode: Node, GainNode: Node, Notification: Notice });
  Object.assign(window, { isSecureContext: true });
  await draw({ thread: talking() });
  const agent: Item = { type: "agent", key: "2", name: "Mia", text: "Here I am.", at: "2026-11-01T10:00:00Z", seq: 2, files: [] };
  chat.event("agent.message", agent);
  assert.equal(tones + shown.length, 0);
  await press("More");
  await press("Sound for new messages");
  assert.equal(tones, 2, "one hears what was switched on");
  await press("Notifications");
  await until("notifications are on", () => button("Notifications")!.getAttribute("aria-checked") === "true");
  chat.event("agent.message", agent);
  await until("it is heard", () => tones === 4);
  assert.deepEqual(shown, ["Mia: Here I am."]);
});
