// Prints what the widget is made of, what is loaded at first and what later, each the
// heaviest first. Parts are compressed by themselves: together they compress better.

import { fileURLToPath } from "node:url";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const web = fileURLToPath(new URL("..", import.meta.url));
const { output } = await build({
  root: web,
  configFile: path.join(web, "vite.config.ts"),
  logLevel: "warn",
  build: { write: false, rolldownOptions: { input: path.join(web, "src/widget/widget.tsx"), preserveEntrySignatures: "allow-extension" } },
});
for (const script of output.filter((file) => file.type === "chunk")) {
  console.log(`${script.isEntry ? "at first" : "later"}: ${gzipSync(script.code, { level: 9 }).length}`);
  const parts = Object.entries(script.modules)
    .map(([id, { code }]) => [code ? gzipSync(code).length : 0, path.relative(web, id)])
    .filter(([bytes]) => bytes > 0)
    .sort(([a], [b]) => b - a);
  for (const [bytes, name] of parts) console.log(String(bytes).padStart(6), name);
}
