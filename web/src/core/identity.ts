// Who a signed identity says that the visitor is. Only the server can tell whether that is
// true; here it decides whose conversations this browser shows.

export function whoIs(identity: string): { id: string; name?: string } | undefined {
  try {
    const parts = identity.split(".");
    if (parts[0] === "hmac" && parts.length === 3) return { id: decode(parts[1]!) };
    const { sub, name } = JSON.parse(decode(parts[1]!)) as { sub?: unknown; name?: unknown };
    if (typeof sub !== "string" || sub === "") return undefined;
    return { id: sub, ...(typeof name === "string" && { name }) };
  } catch {
    return undefined; // neither a JWT nor a signed id
  }
}

function decode(base64url: string): string {
  const bytes = Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
