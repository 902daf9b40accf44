import { defineConfig, type Plugin } from "vite";

// What the builds (scripts/build.mjs), the tests (scripts/test.mjs) and the development
// server (npm run dev) share. In development the server's routes are proxied to a server
// that runs beside it.
export default defineConfig({
  base: "./", // files are found beside the one that names them, on whatever host and path
  plugins: [plainImport()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: {
    proxy: {
      "/v1": { target: process.env.ANSWERABLE ?? "http://127.0.0.1:8080", ws: true },
      "/sources": process.env.ANSWERABLE ?? "http://127.0.0.1:8080",
    },
  },
  build: {
    target: "es2022",
    // The first browsers with light-dark(): it is not to be rewritten for older ones, which
    // get the light colours (tokens.css).
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});

/** Vite wraps import() to load style sheets first. Ours have none beside them, and in the
 * widget the wrapping would be a kilobyte. */
function plainImport(): Plugin {
  return {
    name: "plain-import",
    enforce: "pre",
    load: (id) => (id.endsWith("vite/preload-helper.js") ? "export const __vitePreload = (load) => load();" : undefined),
  };
}
