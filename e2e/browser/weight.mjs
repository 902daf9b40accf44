// What files weigh on their way to the visitor.

/** The bytes, as a browser is sent them over HTTPS, of the files that were asked for through
 * a proxy. */
export async function weight(between, wanted) {
  let sum = 0;
  for (const path of asked(between, wanted)) sum += await sent(between.url + path);
  return sum;
}

/** The bytes of one file in a coding: that of its Content-Length, which fetch would unpack. */
export async function sent(address, coding = "br") {
  const res = await fetch(address, { method: "HEAD", headers: { "Accept-Encoding": coding } });
  if (!res.ok) throw new Error(`${address}: ${res.status}`);
  return Number(res.headers.get("Content-Length"));
}

/** The paths that were asked for, each once. */
export function asked(between, wanted) {
  return [...new Set(between.requests.map(({ path }) => path.split("?")[0]))].filter((path) => wanted.test(path));
}
