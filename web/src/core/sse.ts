// Server-sent events as the HTML standard has them, read from a fetch: EventSource sends no
// Authorization header.

export interface Frame {
  id: string;
  event: string;
  data: string;
}

export interface Parser {
  /** Takes the next bytes, cut wherever they may be, and returns the frames they complete. */
  push(bytes: Uint8Array): Frame[];
  /** What the last `retry:` said, in milliseconds. */
  readonly retry: number | undefined;
}

export function parser(): Parser {
  const decoder = new TextDecoder(); // takes a byte order mark away
  let rest = ""; // of a line
  let afterCR = false; // its line feed may come
  let id = "";
  let event = "";
  let data: string[] = [];
  let retry: number | undefined;

  function line(text: string): Frame | undefined {
    if (text === "") {
      const frame = data.length ? { id, event: event || "message", data: data.join("\n") } : undefined;
      event = "";
      data = [];
      return frame;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return; // a comment
    const field = colon < 0 ? text : text.slice(0, colon);
    let value = colon < 0 ? "" : text.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d{1,9}$/.test(value)) retry = Number(value);
    return;
  }

  return {
    push(bytes) {
      let text = decoder.decode(bytes, { stream: true });
      if (text === "") return [];
      if (afterCR && text.startsWith("\n")) text = text.slice(1);
      afterCR = text.endsWith("\r");
      const lines = text.split(/\r\n|\r|\n/);
      lines[0] = rest + lines[0]!;
      rest = lines.pop()!;
      return lines.map(line).filter((frame) => frame !== undefined);
    },
    get retry() {
      return retry;
    },
  };
}
