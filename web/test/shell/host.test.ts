import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { window } from "./dom.ts";
import { boot } from "../../src/widget/host.ts";
import { placeOf } from "../../src/core/storage.ts";
import type { Env, Handle, Settings } from "../../src/widget/contract.ts";

const base = "https://chat.example";
let env: Env;
let handle: Handle;
let posted: any[];
let told: unknown[];
let frame: object;

/** A host page whose frame has not said anything yet. */
function stage(settings: Settings = {}): void {
  const host = document.createElement("answerable-chat"); // in no document, so that nothing is fetched
  posted = [];
  told = [];
  env = { base, settings: { base, ...settings }, host, root: host.attachShadow({ mode: "open" }), emit: (event, detail) => told.push([event, detail]), remove() {} };
  handle = boot(1, env);
  frame = { postMessage: (letter: unknown) => posted.push(letter) };
  Object.defineProperty(env.root.querySelector("iframe"), "contentWindow", { value: frame, configurable: true });
}

function arrives(data: object, { origin = base, source = frame } = {}): void {
  const e = new window.Event("message");
  Object.assign(e, { data: { answerable: 1, ...data }, origin, source });
  window.dispatchEvent(e);
}
const begins = () => {
  arrives({ hello: true });
  return posted.findLast((letter) => "start" in letter)?.start;
};

beforeEach(() => localStorage.clear());
afterEach(() => handle.destroy());

test("a frame begins with what the tag says, and gets the calls from before", () => {
  stage({ identity: "of ada", container: "#help" });
  handle.call("send", ["Hello"]);
  assert.deepEqual(posted, []);
  assert.deepEqual(begins(), { base, identity: "of ada" });
  assert.deepEqual(posted.slice(1), [{ answerable: 1, shown: true }, { answerable: 1, call: "send", args: ["Hello"] }]);
});

test("a frame that is loaded anew begins with what was called since", () => {
  stage({ locale: "en", context: { page: "boots" } });
  begins();
  handle.call("identify", ["of ada"]);
  handle.call("setLocale", ["de"]);
  handle.call("setContext", [{ plan: "large" }]);
  handle.call("setContext", ["of the wrong type"]);
  assert.deepEqual(begins(), { base, identity: "of ada", locale: "de", context: { page: "boots", plan: "large" } });
});

test("who has logged out is not signed in again by a frame that is loaded anew", () => {
  stage({ identity: "of ada", context: { plan: "large" } });
  begins();
  handle.call("logout", []);
  const { identity, context } = begins();
  assert.deepEqual([identity, context], [undefined, undefined]);
});

test("what is known of one customer is not said of another", () => {
  const identity = (id: string, mac: string) => `hmac.${btoa(id)}.${mac}`;
  stage({ identity: identity("ada", "1"), context: { plan: "large" } });
  handle.call("identify", [identity("ada", "2")]);
  assert.deepEqual(begins().context, { plan: "large" }, "it was only renewed");
  handle.call("identify", [identity("bob", "1")]);
  assert.equal(begins().context, undefined);
});

test("that there is a conversation is remembered for the loader, until somebody logs out", () => {
  stage({ assistant: "shop" });
  begins();
  const kept = () => localStorage.getItem(placeOf(base, "shop"));
  arrives({ event: "conversation", detail: { conversation: "c1" } }, { origin: "https://evil.example" });
  arrives({ event: "conversation", detail: { conversation: undefined } });
  assert.equal(kept(), null);
  arrives({ event: "conversation", detail: { conversation: "c1" } });
  assert.equal(kept(), "1");
  arrives({ event: "conversation", detail: { conversation: undefined } });
  assert.equal(kept(), "1", "an older one is still in the list");
  handle.call("logout", []);
  assert.equal(kept(), null);
  assert.deepEqual(told.at(-1), ["conversation", { conversation: undefined }]);
});
