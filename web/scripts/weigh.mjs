// Prints what a visitor pays, in bytes as gzip sends them, and fails above the budgets:
// node scripts/weigh.mjs FOLDER, which is what build.mjs has written. Counted is everything
// that is loaded until a visitor has opened the chat, asked, and read an answer.

import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

const [folder] = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(path.join(folder, "manifest.json"), "utf8"));
const weigh = (name) => gzipSync(readFileSync(path.join(folder, manifest[name])), { level: 9 }).length;

// A visitor loads the words of one language.
const words = Object.keys(manifest).filter((name) => /^strings-\w+\.json$/.test(name));
const heaviest = words.reduce((most, name) => Math.max(most, weigh(name)), 0);
const budgets = [
  ["the loader", weigh("widget.js"), 3],
  ["the widget in all", weigh("widget.js") + weigh("widget") + heaviest, 45],
  ["the page in all", weigh("page") + weigh("page.css") + heaviest, 45],
];

for (const [what, bytes, most] of budgets) {
  console.log(`${what}: ${(bytes / 1024).toFixed(1)} KB of ${most} KB`);
  if (bytes > most * 1024) {
    console.error(`${what} is ${bytes - most * 1024} bytes above its budget: npm run parts in web/ says what weighs`);
    process.exitCode = 1;
  }
}
for (const name of ["widget-later", "page-later"]) console.log(`${name}, when something rare is needed: ${(weigh(name) / 1024).toFixed(1)} KB`);
