// The first five minutes with a stopwatch: what a newcomer does, a command each, and what
// they see in the browser. make proof-stopwatch begins with a clone and an empty build cache.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { model, said } from "../harness.mjs";
import { visitor } from "./browser.mjs";
import { plain, site } from "./host.mjs";
import { Chat } from "./stage.mjs";

const fromClone = process.env.E2E_STOPWATCH === "clone";
const most = 5 * 60_000;

test("clone, first answer, own folder, own model, own site, a wrong answer taken back", { timeout: 2 * most }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "answerable-stopwatch-"));
  const clone = join(dir, "clone");
  const answerable = fromClone ? `go run -C ${clone} ./cmd/answerable` : process.env.E2E_PROGRAM;
  const cache = fromClone ? { GOCACHE: join(dir, "cache") } : {};
  const env = { ...process.env, ...cache, ANSWERABLE_DATA: join(dir, "data"), ANSWERABLE_LISTEN: "127.0.0.1:0" };
  const write = (name, text) => {
    mkdirSync(join(dir, name, ".."), { recursive: true });
    writeFileSync(join(dir, name), text);
  };
  const at = (name) => join(dir, name); // go run -C changes the folder

  /** Runs a command to its end. */
  const run = async (command) => {
    const p = spawn("bash", ["-c", `exec ${command}`], { cwd: dir, env, stdio: ["ignore", "pipe", "pipe"] });
    const out = Promise.all([p.stdout, p.stderr].map(async (s) => (await s.setEncoding("utf8").toArray()).join("")));
    const [code] = await once(p, "exit");
    assert.equal(code, 0, `${command}: ${(await out).join("\n")}`);
  };
  let child; // with what go run starts, a group of processes
  const end = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await gone;
  };
  t.after(async () => {
    await end();
    rmSync(dir, { recursive: true, force: true });
  });
  /** Ends the server before, and starts another. */
  const serve = async (args, more = {}) => {
    await end();
    child = spawn("bash", ["-c", `exec ${answerable} serve ${args}`], { cwd: dir, env: { ...env, ...more }, detached: true, stdio: ["ignore", "ignore", "pipe"] });
    return said(child, child.stderr, /customer page {2}(\S+)\//);
  };

  const laps = [];
  const lap = async (what, work) => {
    const began = performance.now();
    const result = await work();
    laps.push([what, performance.now() - began]);
    return result;
  };

  const shop = await site(t);
  const context = await visitor(t, {});
  const page = await context.newPage();
  const chat = new Chat(page);

  await lap("first cited answer in the browser", async () => {
    if (fromClone) await run(`git clone -q ${fileURLToPath(new URL("../..", import.meta.url))} ${clone}`);
    await page.goto(await serve(""));
    await page.locator(".suggestion").first().click();
    await chat.answers.locator(".cite").first().waitFor({ timeout: most });
  });

  write("help/delivery.md", "# Delivery\n\nStandard delivery takes three working days and costs €4.\n");
  await lap("own folder", async () => {
    await page.goto(await serve(at("help")));
    await chat.ask("How long does standard delivery take?");
    await chat.shows("three working days");
  });

  const writer = await model(t, async function* () {
    yield "It takes three working days.[1]";
  });
  await lap("own model", async () => {
    await page.goto(await serve(at("help"), { OPENAI_API_KEY: "any", OPENAI_BASE_URL: writer.url, OPENAI_MODEL: "scripted" }));
    await chat.ask("How long does standard delivery take?");
    await chat.shows("It takes three working days.");
  });

  const widget = await lap("widget on another site", async () => {
    await run(`${answerable} init ${at("shop")} --company "Harbour Lights" --from ${at("help")} --site ${shop.url}`);
    const url = await serve(at("shop"));
    await page.goto(shop.put("/", plain(url)));
    await chat.open();
    await chat.ask("How long does standard delivery take?");
    await chat.shows("three working days");
    return chat;
  });

  await run(`${answerable} release promote`);
  await lap("a wrong answer mended in a file, and taken back", async () => {
    write("shop/knowledge/delivery.md", "# Delivery\n\nStandard delivery takes two working days and costs €4.\n");
    await run(`${answerable} release promote`);
    await widget.ask("How long does standard delivery take now?");
    await widget.shows("two working days");
    await run(`${answerable} release undo`);
    const before = await widget.log.getByText("three working days").count();
    await widget.ask("And standard delivery, how long does it take?");
    assert.ok((await widget.log.getByText("three working days").count()) > before, "the undone words are back");
  });

  const whole = laps.reduce((sum, [, ms]) => sum + ms, 0);
  for (const [what, ms] of [...laps, ["in all", whole]]) t.diagnostic(`${(ms / 1000).toFixed(1)} s  ${what}`);
  assert.ok(whole < most, `five minutes are over after ${whole} ms`);
});
