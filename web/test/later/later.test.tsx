import assert from "node:assert/strict";
import { test } from "node:test";
import { until, window } from "../shell/dom.ts";
import { en } from "../words.ts";
import { translator } from "../../src/core/i18n.ts";
import { fakeChat, fakeState } from "../shell/fake.ts";

const { mount } = await import("../../src/shell/mount.tsx");
const { parts } = await import("../../src/later/later.ts");

test("what is rare is loaded when it is needed, and has its styles before it is drawn", async () => {
  const host = document.createElement("div");
  document.body.append(host);
  const root = host.attachShadow({ mode: "open" });
  const app = root.appendChild(document.createElement("div"));
  const mounted = mount(app, { chat: fakeChat(fakeState()), t: translator("en", en), base: "", page: false, seen: () => false, onNotification() {} });
  assert.equal(parts, undefined);
  assert.equal(root.adoptedStyleSheets.length, 0);
  app.querySelector<HTMLElement>(".menu-place > .tool")!.click();
  let stylesThen = 0;
  const observer = new window.MutationObserver(() => {
    if (app.querySelector("[role=menu]")) stylesThen ||= root.adoptedStyleSheets.length;
  });
  observer.observe(app as never, { childList: true, subtree: true });
  await until("the menu", () => app.querySelector("[role=menu]") !== null);
  await until("it was seen", () => stylesThen > 0);
  observer.disconnect();
  assert.equal(stylesThen, 1);
  mounted.destroy();

  const next = document.createElement("div").attachShadow({ mode: "open" });
  const again = mount(next.appendChild(document.createElement("div")), { chat: fakeChat(), t: translator("en", en), base: "", page: false, seen: () => false, onNotification() {} });
  assert.equal(next.adoptedStyleSheets.length, 1, "another chat of the page has the styles as well");
  again.destroy();
});
