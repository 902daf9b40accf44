// Prints what the widget is made of, the heaviest first, each part compressed by itself:
// together they compress better.

import { fileURLToPath } from "node:url";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const web = fileURLToPath(new URL("..", import.meta.url));
const { output } = await build({
  root: web,
  configFile: path.join(web, "vite.config.ts"),
  logLevel: "warn",
  build: { write: false, rolldownOptions: { input: path.join(web, "src/widget/widget.tsx"), preserveEntrySignatures: "strict", output: { codeSplitting: false } } },
});
const parts = Object.entries(output.find((file) => file.isEntry).modules)
  .map(([id, { code }]) => [code ? gzipSync(code).length : 0, path.relative(web, id)])
  .filter(([bytes]) => bytes > 0)
  .sort(([a], [b]) => b - a);
for (const [bytes, name] of parts) console.log(String(bytes).padStart(6), name);
