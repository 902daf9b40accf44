import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Env, Handle } from "../../src/widget/contract.ts";
import { reported, until, window } from "./dom.ts";

// The server's files, in a folder: a widget that keeps what it is told.
const folder = mkdtempSync(path.join(tmpdir(), "loader-"));
const base = pathToFileURL(folder).href;
mkdirSync(path.join(folder, "assets"));
const booted: { version: number; env: Env; calls: unknown[][]; gone: boolean }[] = [];
const widget = `
  export function boot(version, env) {
    const it = { version, env, calls: [], gone: false };
    globalThis.booted.push(it);
    const call = (method, args) => {
      if (method === "identify" && !args[0]) throw new TypeError("identify takes a text");
      it.calls.push([method, ...args]);
    };
    return { call, destroy: () => void (it.gone = true) };
  }`;
writeFileSync(path.join(folder, "assets/widget-1a2b3c4d.js"), widget);
writeFileSync(path.join(folder, "assets/frame-1a2b3c4d.js"), widget);
writeFileSync(path.join(folder, "package.json"), `{"type": "module"}`);
after(() => rmSync(folder, { recursive: true }));

const served = { version: 1, enabled: true, accents: { light: "#b00020", dark: "#ffb4ab" }, open: "Chat öffnen" };
let settings: object | undefined = served;
const asked: string[] = [];
Object.assign(globalThis, {
  booted,
  __WIDGET__: "assets/widget-1a2b3c4d.js",
  __FRAME__: "assets/frame-1a2b3c4d.js",
  fetch: async (url: string) => {
    asked.push(url);
    if (!settings) throw new TypeError("Failed to fetch");
    return { ok: true, json: async () => settings };
  },
});

interface Api extends Record<string, (...args: unknown[]) => unknown> {}
const page = window as unknown as { Answerable: Api };
const heard: unknown[][] = [];
const hosts = () => [...document.querySelectorAll("answerable-chat")];
const launcher = (at = 0) => hosts()[at]?.shadowRoot?.querySelector("button");

// What a host page does before the script is there.
document.head.innerHTML = `<script src="${base}/widget.js?v=1" data-assistant="demo" data-locale="de-AT" data-position="start" data-color-scheme="dark" data-accent="#123456"></script>`;
page.Answerable = [["on", "ready", () => heard.push(["ready"])], ["setContext", { page: "boots" }], ["noSuchMethod"]] as unknown as Api;
await import("../../src/widget/loader.ts");
const api = page.Answerable;

afterEach(() => {
  settings = served;
  for (let i = 0; i < 10 && hosts().length > 0; i++) api.destroy!();
  booted.length = reported.length = 0;
  document.body.replaceChildren();
});

test("the script tag's attributes, and the calls from before it was there", async () => {
  const [host] = hosts() as HTMLElement[];
  assert.equal(host!.dataset.position, "start");
  assert.equal(host!.dataset.scheme, "dark");
  assert.equal(launcher()!.getAttribute("aria-expanded"), "false");
  assert.deepEqual(asked, [`${base}/v1/widget?assistant=demo&accent=%23123456&locale=de-AT`]);
  assert.match(String(reported[0]), /TypeError/); // the method that there is not
  await until("ready", () => heard.length > 0);
  assert.equal(host!.style.getPropertyValue("--given-accent"), "#b00020", "as the server says that it can be read");
  assert.equal(launcher()!.getAttribute("aria-label"), "Chat öffnen");
  api.on!("ready", () => heard.push(["late"]));
  assert.deepEqual(heard, [["ready"], ["late"]]);
  assert.equal(booted.length, 0, "the widget is loaded before anybody wants it");

  launcher()!.click();
  assert.equal(launcher()!.getAttribute("aria-busy"), "true");
  await until("the widget", () => booted.length > 0);
  assert.equal(booted[0]!.version, 1);
  assert.equal(booted[0]!.env.settings.assistant, "demo");
  assert.deepEqual(booted[0]!.calls, [["setContext", { page: "boots" }], ["open"]]);
  assert.equal(launcher()!.getAttribute("aria-busy"), "false");
});

test("a pointer that comes near fetches the widget, once", async () => {
  api.create!();
  launcher()!.dispatchEvent(new PointerEvent("pointerenter") as never);
  launcher()!.dispatchEvent(new Event("focus"));
  await until("the widget", () => booted.length > 0);
  assert.deepEqual(booted[0]!.calls, []);
  api.push!(["toggle"], ["send", "Hello"]);
  assert.equal(booted.length, 1);
  assert.deepEqual(booted[0]!.calls, [["toggle"], ["send", "Hello"]]);
});

test("the settings are asked for at the address at which the widget does", async () => {
  asked.length = 0;
  api.create!({ base, locale: "de" });
  assert.deepEqual(asked, [`${base}/v1/widget?locale=de`]);
});

test("two chats on one page are two, the same one is the same", async () => {
  const first = api.create!({ base, assistant: "one" });
  assert.equal(api.create!({ base, assistant: "one" }), first);
  document.body.append(Object.assign(document.createElement("div"), { id: "place" }));
  const inline = api.create!({ base, container: "#place" }) as Handle;
  assert.equal(hosts().length, 2);
  assert.equal(launcher(1), null, "a chat in a container has no launcher");
  await until("the inline one", () => booted.length > 0);
  assert.ok(booted[0]!.env.host.hasAttribute("data-inline"));
  inline.destroy();
  assert.ok(booted[0]!.gone);
  assert.equal(hosts().length, 1);
  assert.throws(() => api.create!({ base, container: "#missing" }), /no element matches #missing/);
  assert.equal(hosts().length, 1);
});

test("listeners of the host page are told, and their errors are its own", async () => {
  const chat = api.create!({ base }) as Api;
  const told: unknown[] = [];
  const listener = (detail: unknown) => told.push(detail);
  chat.on!("message", () => {
    throw new Error("of the host page");
  });
  chat.on!("message", listener);
  chat.open!();
  await until("the widget", () => booted.length > 0);
  booted[0]!.env.emit("message", 1);
  chat.off!("message", listener);
  booted[0]!.env.emit("message", 2);
  assert.deepEqual(told, [1]);
  assert.equal((reported[0] as Error).message, "of the host page");
});

test("a new body keeps the chat, and destroy leaves nothing behind", async () => {
  api.create!({ base });
  const old = document.body;
  const fresh = document.createElement("body");
  old.replaceWith(fresh);
  await until("the chat in the new body", () => hosts()[0]?.parentElement === fresh);
  launcher()!.click();
  await until("the widget", () => booted.length > 0);
  api.destroy!();
  assert.ok(booted[0]!.gone);
  assert.equal(document.querySelectorAll("answerable-chat").length, 0);
  document.body.append(document.createElement("p"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hosts().length, 0);
});

test("a call that is refused does not stop those behind it", async () => {
  const chat = api.create!({ base }) as Api;
  chat.identify!(undefined);
  chat.open!();
  await until("the widget", () => booted.length > 0);
  assert.deepEqual(booted[0]!.calls, [["open"]]);
  assert.match(String(reported[0]), /identify takes a text/);
});

test("an assistant that is switched off takes the chat off the page", async () => {
  settings = { version: 1, enabled: false };
  api.create!({ base });
  await until("nothing is left", () => hosts().length === 0);
});

test("a hash that the server has forgotten is asked for under another name", async () => {
  writeFileSync(path.join(folder, "assets/frame-0.js"), widget);
  rmSync(path.join(folder, "assets/frame-1a2b3c4d.js"));
  const chat = api.create!({ base, mode: "iframe" }) as Api;
  chat.open!();
  await until("the widget", () => booted.length > 0);
  assert.deepEqual(booted[0]!.calls, [["open"]]);
});

test("where nothing can be fetched the page is told, and the next press tries again", async () => {
  settings = undefined;
  const chat = api.create!({ base: `${base}/elsewhere` }) as Api;
  const errors: unknown[] = [];
  chat.on!("error", (detail: unknown) => errors.push(detail));
  chat.open!();
  await until("the error", () => errors.length > 0);
  assert.match((errors[0] as { message: string }).message, /could not be loaded/);
  mkdirSync(path.join(folder, "elsewhere/assets"), { recursive: true });
  writeFileSync(path.join(folder, "elsewhere/assets/widget-1.js"), widget);
  launcher()!.click();
  await until("the widget", () => booted.length > 0);
});

test("a stored conversation is fetched in an idle moment", async () => {
  const { placeOf } = await import("../../src/core/storage.ts");
  localStorage.setItem(placeOf(base, "kept"), "{}");
  api.create!({ base, assistant: "kept" });
  await until("the widget", () => booted.length > 0);
  assert.deepEqual(booted[0]!.calls, []);
  localStorage.clear();
});
