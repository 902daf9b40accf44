// What files weigh on their way to the visitor.

import { gzipSync } from "node:zlib";

/** The bytes, compressed, of the files that were asked for through a proxy. */
export async function weight(between, wanted) {
  let sum = 0;
  for (const path of asked(between, wanted)) {
    const res = await fetch(between.url + path);
    if (!res.ok) throw new Error(`${path}: ${res.status}`);
    sum += gzipSync(Buffer.from(await res.arrayBuffer()), { level: 9 }).length;
  }
  return sum;
}

/** The paths that were asked for, each once. */
export function asked(between, wanted) {
  return [...new Set(between.requests.map(({ path }) => path.split("?")[0]))].filter((path) => wanted.test(path));
}
