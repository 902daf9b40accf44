// The sites of companies that put the widget on their pages. They are on another origin
// than the server, as all such sites are.

import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Starts a site for the time of the test t. A test says with put(path, page) what is
 * there; page is {body, head, headers}, or a function of the request that returns it.
 */
export async function site(t) {
  const pages = new Map();
  const server = createServer((req, res) => {
    const found = pages.get(new URL(req.url, "http://localhost").pathname);
    if (found === undefined) return res.writeHead(404).end();
    const { head = "", body = "", lang = "en", headers = {}, raw } = typeof found === "function" ? found(req) : found;
    if (raw) return res.writeHead(200, headers).end(raw);
    res.writeHead(200, { "Content-Type": "text/html; charset=utf-8", ...headers });
    res.end(`<!doctype html><html lang="${lang}"><head><meta name="viewport" content="width=device-width, initial-scale=1"><title>The shop</title>${head}</head><body>${body}</body></html>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://localhost:${server.address().port}`;
  return {
    url,
    put(path, page) {
      pages.set(path, page);
      return url + path;
    },
  };
}

const text = `<main><h1>Boots for the coast</h1><p>${"Hand-made in Cork, and repaired for life. ".repeat(12)}</p><p><a href="#more">More</a> <button type="button">Buy</button></p><input aria-label="Search"></main>`;

/** An ordinary page with the widget. attributes are the script's. */
export function plain(server, attributes = "") {
  return { body: `${text}<script async src="${server}/widget.js" ${attributes}></script>` };
}

/** A page that allows no more than docs/widget.md asks for. */
export function strict(server, attributes = "") {
  return {
    body: `${text}<script async src="${server}/widget.js" ${attributes}></script>`,
    headers: {
      "Content-Security-Policy":
        `default-src 'none'; script-src ${server}; connect-src ${server}; style-src 'self'; img-src ${server} blob:; ` +
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    },
  };
}

/** A page that allows scripts by nonce only, and what these load. */
export function nonce(server, attributes = "") {
  const once = "bm9uY2U";
  return {
    body: `${text}<script nonce="${once}" async src="${server}/widget.js" ${attributes}></script>`,
    headers: {
      "Content-Security-Policy": `default-src 'none'; script-src 'nonce-${once}' 'strict-dynamic'; connect-src ${server}; style-src 'self'; img-src blob:; base-uri 'none'`,
    },
  };
}

/** A page whose styles break whatever they reach. */
export function hostile(server, attributes = "") {
  const styles = `
    * { all: unset !important; font: 40px/3 fantasy !important; color: red !important; letter-spacing: 1em !important; text-transform: uppercase !important; }
    div, section, button, textarea, iframe, p { display: none !important; position: static !important; float: left !important; width: 7px !important; height: 7px !important;
      opacity: 0 !important; visibility: hidden !important; transform: rotate(45deg) scale(3) !important; filter: blur(9px) !important; pointer-events: none !important; }
    html { font-size: 40px !important; } body { direction: rtl !important; }
    *::before, *::after { content: "broken" !important; }`;
  return { head: `<style>${styles}</style>`, body: `${text}<script async src="${server}/widget.js" ${attributes}></script>` };
}

/** A single-page app: its links change the address and what is shown, not the page. */
export function app(server, attributes = "") {
  return {
    body: `<nav><a href="/app/one">One</a> <a href="/app/two">Two</a></nav><main id="view">${text}</main>
      <script>
        const show = (path) => { document.getElementById("view").innerHTML = "<h1>" + path + "</h1>"; document.title = path; };
        addEventListener("click", (e) => { const a = e.target.closest("nav a"); if (a) { e.preventDefault(); history.pushState({ app: a.pathname }, "", a.pathname); show(a.pathname); } });
        addEventListener("popstate", () => show(location.pathname));
      </script>
      <script async src="${server}/widget.js" ${attributes}></script>`,
  };
}
