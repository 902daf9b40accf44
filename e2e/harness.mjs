// What the tests of clients in JavaScript share: a running server, and a model whose words
// each test says itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const program = needed("E2E_PROGRAM");

function needed(name) {
  if (!process.env[name]) throw new Error(`${name} is not set: run "make e2e"`);
  return process.env[name];
}

/** The longest that any test may take. */
export const timeout = 60_000;

/**
 * Starts a server that asks the models in order, and stops it after the test t.
 * Its command(…) runs another command on its data, and returns what that printed.
 */
export async function serve(t, ...models) {
  const dir = mkdtempSync(join(tmpdir(), "answerable-e2e-"));
  const config = join(dir, "answerable.yaml");
  const entries = models.map(({ url }, i) => ({ provider: "openai", name: `model${i + 1}`, model: "scripted", base_url: url }));
  writeFileSync(config, JSON.stringify({ models: entries, data: join(dir, "data") }));
  const child = spawn(program, ["serve", "--config", config, "--listen", "127.0.0.1:0", "assistants"], { stdio: ["ignore", "ignore", "pipe"] });
  stopAfter(t, child, () => rmSync(dir, { recursive: true, force: true }));
  const url = await said(child, child.stderr, /customer page {2}(\S+)\//);
  return {
    url,
    async command(...args) {
      const run = spawn(program, [...args, "--config", config], { stdio: ["ignore", "pipe", "inherit"] });
      const out = (await run.stdout.setEncoding("utf8").toArray()).join("");
      if (run.exitCode ?? (await once(run, "exit"))[0]) throw new Error(`${args.join(" ")} failed`);
      return out;
    },
  };
}

/** Starts a fake of every vendor that answers from a script, and returns its address. */
export async function vendor(t, script) {
  const dir = mkdtempSync(join(tmpdir(), "answerable-e2e-"));
  writeFileSync(join(dir, "script"), script);
  const child = spawn(needed("E2E_FAKEVENDOR"), [join(dir, "script")], { stdio: ["pipe", "pipe", "inherit"] });
  stopAfter(t, child, () => rmSync(dir, { recursive: true, force: true }));
  return said(child, child.stdout, /(http\S+)/);
}

/** Kills a process after the test t, and then cleans up. */
export function stopAfter(t, child, cleanUp) {
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  const ended = once(child, "exit");
  t.after(async () => {
    kill();
    await ended;
    process.off("exit", kill);
    cleanUp();
  });
}

/** Waits for a line, and returns its first group. What comes after it is dropped. */
export async function said(child, stream, pattern) {
  const lines = [];
  for await (const line of createInterface(stream)) {
    lines.push(line);
    const found = pattern.exec(line);
    if (found) {
      stream.resume();
      return found[1];
    }
  }
  throw new Error(`${child.spawnfile} did not start:\n${lines.join("\n")}`);
}

/**
 * A model that speaks OpenAI's format. For each request it says what answer(request, n)
 * yields, n counting from 1, each piece at once: so a test can wait between two of them. (A
 * sentence is shown when the next one begins.) If answer throws, the connection is cut.
 * The promise left is kept when a request was given up.
 */
export async function model(t, answer) {
  let n = 0;
  const left = promise();
  const server = createServer(async (req, res) => {
    const request = JSON.parse((await req.setEncoding("utf8").toArray()).join(""));
    res.on("close", () => res.writableEnded || left.resolve());
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    res.flushHeaders();
    const chunk = (delta, finish_reason = null) =>
      res.write(`data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "scripted", choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
    try {
      for await (const content of answer(request, ++n)) chunk({ content });
      chunk({}, "stop");
      res.end("data: [DONE]\n\n");
    } catch {
      res.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/v1`, left };
}

/** A promise that is kept from outside, by its method resolve. */
export function promise() {
  let resolve;
  const p = new Promise((r) => (resolve = r));
  return Object.assign(p, { resolve });
}

/** The version of an installed package, as numbers. */
export function version(name) {
  const file = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file)).version.split(".").map(Number);
}

/** The transcript of a conversation, as [role, text] each. */
export async function transcript(url, conversation, token = "any") {
  const res = await fetch(`${url}/v1/conversations/${conversation}/messages`, { headers: { Authorization: `Bearer ${token}` } });
  return (await res.json()).messages.map((m) => [m.role, m.text]);
}

/** Waits for the end of a conversation's first turn, and returns its outcome. */
export async function outcome(url, conversation) {
  const res = await fetch(`${url}/v1/conversations/${conversation}/events`);
  let events = "";
  for await (const piece of res.body.pipeThrough(new TextDecoderStream())) {
    events += piece;
    const ended = /^event: turn\.ended\ndata: (.*)\n/m.exec(events);
    if (ended) return JSON.parse(ended[1]).outcome;
  }
}
