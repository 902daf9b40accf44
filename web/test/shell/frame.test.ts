import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { window } from "./dom.ts";
import { outside, type Outside } from "../../src/widget/frame.ts";

const host = "https://shop.example";
let posted: { letter: unknown; to: string }[];
const parent = { postMessage: (letter: unknown, to: string) => posted.push({ letter, to }) };

/** A letter arrives in the frame. */
function arrives(data: unknown, { origin = host, source = parent as unknown } = {}): void {
  const e = new window.Event("message");
  Object.assign(e, { data, origin, source });
  window.dispatchEvent(e);
}

function framed(hash: string): Promise<Outside | undefined> {
  window.location.hash = hash;
  return outside();
}

beforeEach(() => {
  posted = [];
  Object.defineProperty(window, "parent", { value: parent, configurable: true });
});

test("a page that is not in a frame, or whose frame names no origin, has nothing around it", async () => {
  for (const hash of ["", "origin=", "origin=*", "origin=null", "origin=javascript:alert(1)", "origin=https://shop.example/path"]) assert.equal(await framed(hash), undefined, hash);
  Object.defineProperty(window, "parent", { value: window, configurable: true });
  assert.equal(await framed(`origin=${encodeURIComponent(host)}`), undefined);
  assert.deepEqual(posted, []);
});

test("only letters of the host page's window and origin are read", async () => {
  const around = framed(`origin=${encodeURIComponent(host)}`);
  assert.deepEqual(posted, [{ letter: { answerable: 1, hello: true }, to: host }]);
  arrives({ answerable: 1, start: { identity: "of somebody else" }, look: {} }, { origin: "https://evil.example" });
  arrives({ answerable: 1, start: { identity: "of somebody else" }, look: {} }, { source: {} });
  arrives("start");
  arrives(null);
  arrives({ answerable: 1, start: { identity: "a.b.c" }, look: { "--chat-accent": "teal", background: "red" } });
  assert.deepEqual((await around)!.settings, { identity: "a.b.c" });
  assert.equal(document.documentElement.style.getPropertyValue("--chat-accent"), "teal");
  assert.equal(document.documentElement.style.getPropertyValue("background"), "");
});

test("calls that came before somebody could answer are answered in their order", async () => {
  const around = framed(`origin=${encodeURIComponent(host)}`);
  arrives({ answerable: 1, start: {}, look: {} });
  arrives({ answerable: 1, shown: true });
  arrives({ answerable: 1, call: "send", args: ["Hello"] });
  const { answer, emit } = (await around)!;
  const heard: unknown[] = [];
  answer({ shown: (on) => heard.push(on), call: (method, args) => heard.push([method, ...args]) });
  arrives({ answerable: 1, call: "of tomorrow", args: [] });
  arrives({ answerable: 1, unknown: true });
  assert.deepEqual(heard, [true, ["send", "Hello"], ["of tomorrow"]]);
  emit("unread", 2);
  assert.deepEqual(posted.at(-1), { letter: { answerable: 1, event: "unread", detail: 2 }, to: host });
});
