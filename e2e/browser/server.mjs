// A server that a test may kill and start again on the same data and port.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { said, stopAfter } from "../harness.mjs";

export const secret = "the secret of these tests has more than 32 bytes";

/**
 * Starts a server with one assistant, "help": its settings, and its documents by file name.
 * Pages of origins may call it. models are asked in order; without any, documents are quoted.
 */
export async function serve(t, { assistant = {}, documents = {}, origins = [], models = [], config = {} } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "answerable-browser-"));
  const write = (name, text) => {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  };
  const knowledge = Object.keys(documents).length ? ["knowledge"] : [];
  write("assistant/assistant.yaml", JSON.stringify({ name: "help", gate: "word", knowledge, ...assistant }));
  for (const [name, text] of Object.entries(documents)) write(`assistant/knowledge/${name}`, text);
  const entries = models.map(({ url }, i) => ({ provider: "openai", name: `model${i + 1}`, model: "scripted", base_url: url }));
  write("answerable.yaml", JSON.stringify({ models: entries, data: join(dir, "data"), allowed_origins: origins, identity: { secret }, ...config }));

  let child;
  let listen = "127.0.0.1:0";
  const server = {
    url: "",
    async start() {
      child = spawn(process.env.E2E_PROGRAM, ["serve", join(dir, "assistant"), "--config", join(dir, "answerable.yaml"), "--listen", listen, "--no-anonymous-limits"], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      stopAfter(t, child, () => rmSync(dir, { recursive: true, force: true }));
      server.url = await said(child, child.stderr, /customer page {2}(\S+)\//);
      listen = new URL(server.url).host;
    },
    /** Kills it as a power cut does. */
    async kill() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
    /** What staff do: api("POST", "/api/…", body). */
    async api(method, path, body) {
      const res = await fetch(server.url + path, { method, headers: { "Content-Type": "application/json", Authorization: "Bearer any" }, body: body && JSON.stringify(body) });
      if (!res.ok) throw new Error(`${method} ${path}: ${res.status} ${await res.text()}`);
      return res.json();
    },
  };
  await server.start();
  return server;
}
