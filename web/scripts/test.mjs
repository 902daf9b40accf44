// Runs the unit tests: node scripts/test.mjs [WORD …]. With words, only the files whose
// path contains one. Tests are bundled as the product is, so that they mean the same
// TypeScript, JSX and style sheets; then node --test runs them.

import { readdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { build } from "vite";

const web = fileURLToPath(new URL("..", import.meta.url));
const words = process.argv.slice(2);
const input = {};
for (const file of readdirSync(path.join(web, "test"), { recursive: true })) {
  const [, name] = /^(.*\.test)\.tsx?$/.exec(file) ?? [];
  if (name && (words.length === 0 || words.some((word) => file.includes(word)))) input[name] = path.join(web, "test", file);
}
if (Object.keys(input).length === 0) {
  console.error(`no test file under web/test has ${words.join(" or ")} in its path`);
  process.exit(2);
}

// Beside the packages that the tests import, under a name of its own so that two runs at
// once do not mix.
const out = path.join(web, "node_modules", `.test-${process.pid}`);
process.on("exit", () => rmSync(out, { recursive: true, force: true }));
await build({
  root: web,
  configFile: path.join(web, "vite.config.ts"),
  logLevel: "warn",
  build: { ssr: true, outDir: out, minify: false, sourcemap: true, rolldownOptions: { input } },
});
const files = Object.keys(input).map((name) => path.join(out, `${name}.js`));
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-timeout=60000", "--test-reporter=spec", ...files], { stdio: "inherit" });
process.exitCode = status ?? 1;
