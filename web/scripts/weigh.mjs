// Prints what a visitor pays, in bytes as the server sends them, and fails above the budgets:
// node scripts/weigh.mjs FOLDER, which is what build.mjs has written. Counted is everything
// that is loaded until a visitor has opened the chat, asked, and read an answer.

import { readFileSync } from "node:fs";
import path from "node:path";
import { brotliDecompressSync, gzipSync } from "node:zlib";

const [folder] = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(path.join(folder, "manifest.json"), "utf8"));
const read = (name, end = "") => readFileSync(path.join(folder, manifest[name] + end));
const sizes = {
  brotli: (name) => read(name, ".br").length,
  gzip: (name) => gzipSync(read(name), { level: 9 }).length,
};

for (const name of Object.keys(manifest)) {
  if (!brotliDecompressSync(read(name, ".br")).equals(read(name))) {
    console.error(`${manifest[name]}.br is of another build: make web, and commit it`);
    process.exitCode = 1;
  }
}

// A visitor loads the words of one language.
const words = Object.keys(manifest).filter((name) => /^strings-\w+\.json$/.test(name));
// Over HTTPS browsers take brotli, over plain HTTP gzip: KB of each.
const budgets = [
  ["the loader", ["widget.js"], { brotli: 3, gzip: 3 }],
  ["the widget in all", ["widget.js", "widget"], { brotli: 45, gzip: 49 }],
  ["the page in all", ["page", "page.css"], { brotli: 45, gzip: 49 }],
];

for (const [coding, weigh] of Object.entries(sizes)) {
  const heaviest = words.reduce((most, name) => Math.max(most, weigh(name)), 0);
  for (const [what, names, { [coding]: most }] of budgets) {
    const bytes = names.reduce((sum, name) => sum + weigh(name), names.length > 1 ? heaviest : 0);
    console.log(`${what}: ${(bytes / 1024).toFixed(1)} KB (${coding}) of ${most} KB`);
    if (bytes > most * 1024) {
      console.error(`${what} is ${bytes - most * 1024} bytes above its budget: npm run parts in web/ says what weighs`);
      process.exitCode = 1;
    }
  }
  for (const name of ["widget-later", "page-later"]) console.log(`${name}, when something rare is needed: ${(weigh(name) / 1024).toFixed(1)} KB (${coding})`);
}
