import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { media, window } from "./dom.ts";
import type { Env } from "../../src/widget/contract.ts";
import { createSurface, type Surface } from "../../src/widget/surface.ts";

const HTMLDialogElement = window.HTMLDialogElement;
let shownAs = "";
for (const [name, how] of [["show", "beside"], ["showModal", "modal"]] as const) {
  HTMLDialogElement.prototype[name] = function (this: { setAttribute(name: string, value: string): void }) {
    shownAs = how;
    this.setAttribute("open", "");
  } as never;
}

let env: Env;
let surface: Surface;
let changes: boolean[];
let input: HTMLTextAreaElement;

function stage(settings: Env["settings"] = {}, inline = false): void {
  const host = document.createElement("answerable-chat");
  host.toggleAttribute("data-inline", inline);
  const root = host.attachShadow({ mode: "open" });
  const launcher = document.createElement("button");
  if (!inline) root.append(launcher);
  document.body.append(host);
  env = { base: "", settings, host, root, launcher: inline ? undefined : launcher, emit() {}, remove() {} };
  changes = [];
  surface = createSurface(env, (open) => changes.push(open));
  input = document.createElement("textarea");
  surface.box.append(document.createElement("button"), input);
}

beforeEach(() => {
  document.title = "The shop";
  shownAs = "";
});
afterEach(() => {
  surface.destroy();
  env.host.remove();
  media("max-width", false);
});

const key = (name: string, more: KeyboardEventInit = {}) => {
  const e = new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, composed: true, ...more });
  input.dispatchEvent(e);
  return e;
};

test("the button opens a dialog beside the page, and the focus comes back to what had it", () => {
  stage();
  const own = document.createElement("button");
  document.body.append(own);
  own.focus();
  env.launcher!.click();
  assert.equal(shownAs, "beside");
  assert.equal(surface.box.getAttribute("role"), "dialog");
  assert.equal(surface.box.getAttribute("aria-modal"), "false");
  assert.equal(env.launcher!.getAttribute("aria-expanded"), "true");
  assert.equal(env.launcher!.getAttribute("aria-controls"), surface.box.id);
  input.focus();
  key("Escape");
  assert.equal(surface.isOpen, false);
  assert.equal(document.activeElement, own);
  assert.deepEqual(changes, [true, false]);
  own.remove();
});

test("Escape that something inside has used does not close the panel", () => {
  stage();
  surface.open();
  surface.box.addEventListener("keydown", (e) => e.preventDefault(), { capture: true, once: true });
  key("Escape");
  assert.equal(surface.isOpen, true);
});

test("keys that are typed in it are not the host page's shortcuts", () => {
  stage();
  surface.open();
  let heard = 0;
  const listen = () => heard++;
  document.addEventListener("keydown", listen);
  key("s");
  document.removeEventListener("keydown", listen);
  assert.equal(heard, 0);
});

test("on a phone it is modal, has an entry in the history, and the way back closes it", () => {
  stage();
  media("max-width", true);
  const states: unknown[] = [];
  let backs = 0;
  const { pushState, back } = history;
  Object.assign(history, { pushState: (state: unknown) => states.push(state), back: () => backs++ });
  Object.defineProperty(history, "state", { get: () => states.at(-1) ?? { of: "the router" }, configurable: true });
  surface.open();
  assert.equal(shownAs, "modal");
  assert.equal(surface.box.getAttribute("aria-modal"), "true");
  assert.deepEqual(states, [{ of: "the router", answerable: surface.box.id }]);
  states.pop();
  dispatch("popstate");
  assert.equal(surface.isOpen, false);
  assert.equal(backs, 0, "it went back twice");

  surface.open();
  surface.close();
  assert.equal(backs, 1, "its entry stays in the history");
  states.length = 0;
  Object.assign(history, { pushState, back });
});

const dispatch = (type: string) => window.dispatchEvent(new window.Event(type));

test("a window that is turned while it is open changes how it is shown", () => {
  stage();
  surface.open();
  media("max-width", true);
  assert.equal(shownAs, "modal");
  media("max-width", false);
  assert.equal(shownAs, "beside");
  assert.equal(surface.isOpen, true);
});

test("what is unread is counted on the button and in the title while it is closed", () => {
  stage();
  surface.unread(2);
  const badge = env.launcher!.querySelector<HTMLElement>(".badge")!;
  assert.equal(badge.hidden, false);
  assert.equal(badge.dataset.count, "2");
  assert.equal(document.title, "(2) The shop");
  surface.unread(120);
  assert.equal(badge.dataset.count, "99+");
  document.title = "The basket"; // a single-page application goes on
  surface.unread(3);
  assert.equal(document.title, "(3) The basket");
  surface.open();
  assert.equal(document.title, "The basket");
  surface.close();
  assert.equal(document.title, "(3) The basket");
  surface.destroy();
  assert.equal(document.title, "The basket");
});

test("two chats on a page count in one title", () => {
  stage();
  const [first, { host }] = [surface, env];
  stage();
  first.unread(1);
  surface.unread(2);
  assert.equal(document.title, "(3) The shop");
  first.unread(2);
  assert.equal(document.title, "(4) The shop");
  first.destroy();
  host.remove();
  assert.equal(document.title, "(2) The shop");
  surface.unread(0);
  assert.equal(document.title, "The shop");
});

test("a page that does not want it keeps its title", () => {
  stage({ title: "off" });
  surface.unread(2);
  assert.equal(document.title, "The shop");
});

test("in a container it is a part of the page that cannot be closed", () => {
  stage({}, true);
  assert.equal(surface.isOpen, true);
  assert.notEqual(surface.box.getAttribute("role"), "dialog");
  surface.close();
  key("Escape");
  assert.equal(surface.isOpen, true);
});
