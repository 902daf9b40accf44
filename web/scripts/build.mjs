// Builds what the server hands out: node scripts/build.mjs [FOLDER]. Without a folder it is
// internal/console/dist, which is committed. The same source gives the same bytes.
//
// Four builds, because what is loaded at first must be one file each: the widget, the host
// page's side of the iframe mode and the page as modules, and the loader as a classic script
// that knows the names of the first two. What the widget and the page load later is one more
// file of each build, which imports from the first.

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "vite";

const web = fileURLToPath(new URL("..", import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(web, "../internal/console/dist"));

if (existsSync(out) && !existsSync(path.join(out, "manifest.json"))) {
  console.error(`${out} is there and was not built: name a folder that is not, or remove it`);
  process.exit(2);
}
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const widget = await bundle("widget", "src/widget/widget.tsx", {});
const frame = await bundle("frame", "src/widget/host.ts", {});
await bundle("page", "src/page/page.tsx", {});
await build({
  ...shared({ __WIDGET__: JSON.stringify(widget), __FRAME__: JSON.stringify(frame) }),
  build: {
    outDir: out,
    emptyOutDir: false,
    // As a library: what Vite adds to import() otherwise is a third of the loader.
    lib: { entry: path.join(web, "src/widget/loader.ts"), formats: ["iife"], name: "loader", fileName: () => "widget.js" },
  },
});
for (const file of await readdir(path.join(out, "assets"))) if (file.endsWith(".json")) await shorten(path.join(out, "assets", file));
await writeFile(path.join(out, "manifest.json"), JSON.stringify(await manifest(), null, 2) + "\n");
for (const file of await readdir(out, { recursive: true })) {
  if (/\.(js|css|json)$/.test(file) && file !== "manifest.json") await writeFile(path.join(out, file + ".br"), squeezed(await readFile(path.join(out, file))));
}

// squeezed compresses as Go's standard library cannot: a tenth smaller than gzip. Browsers
// ask for it over HTTPS.
function squeezed(data) {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_MODE, BROTLI_PARAM_SIZE_HINT, BROTLI_MODE_TEXT, BROTLI_MAX_QUALITY } = constants;
  return brotliCompressSync(data, {
    params: { [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY, [BROTLI_PARAM_MODE]: BROTLI_MODE_TEXT, [BROTLI_PARAM_SIZE_HINT]: data.length },
  });
}

// bundle writes assets/NAME-HASH.js, perhaps NAME-later-HASH.js, and what they use. It
// returns the path of the first.
async function bundle(name, input, define) {
  const { output } = await build({
    ...shared(define),
    build: {
      outDir: out,
      emptyOutDir: false,
      rolldownOptions: {
        input: { [name]: path.join(web, input) },
        preserveEntrySignatures: "allow-extension",
        output: {
          format: "es",
          chunkFileNames: `assets/${name}-later-[hash].js`,
          hashCharacters: "hex",
          entryFileNames: "assets/[name]-[hash].js",
          assetFileNames: ({ originalFileNames: [from] }) =>
            `assets/${from?.startsWith("strings/") ? path.dirname(from).replace("/", "-") + "-" : ""}[name]-[hash][extname]`,
        },
      },
    },
  });
  return output.find((file) => file.isEntry).fileName;
}

function shared(define) {
  return { root: web, configFile: path.join(web, "vite.config.ts"), logLevel: "warn", define };
}

// shorten takes out what is there for those who translate.
async function shorten(file) {
  await writeFile(file, JSON.stringify(JSON.parse(await readFile(file, "utf8"))));
}

// manifest names each file without its hash: widget, page, page.css, strings-de.json.
async function manifest() {
  const names = { "widget.js": "widget.js" };
  for (const file of (await readdir(path.join(out, "assets"))).sort()) {
    const [, name, extension] = /^(.+)-[0-9a-f]{8}\.(\w+)$/.exec(file);
    names[extension === "js" ? name : `${name}.${extension}`] = `assets/${file}`;
  }
  return names;
}
