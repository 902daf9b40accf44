import { test } from "node:test";
import assert from "node:assert/strict";
import { parser, type Frame } from "../../src/core/sse.ts";

const stream =
  "\uFEFFretry: 1500\n\n: a comment\n\nid: 1\nevent: text\ndata: {\"text\":\"häppy 😀\"}\n\n" +
  "data: one\r\ndata:two\r\ndata\r\n\r\nid: 2\rdata:  spaced\r\rid: bad\0id\ndata: x\nunknown: y\nretry: soon\n\nevent: empty\n\ndata: unfinished";

const want: Frame[] = [
  { id: "1", event: "text", data: '{"text":"häppy 😀"}' },
  { id: "1", event: "message", data: "one\ntwo\n" },
  { id: "2", event: "message", data: " spaced" },
  { id: "2", event: "message", data: "x" },
];

test("frames are the same wherever the bytes are cut", () => {
  const bytes = new TextEncoder().encode(stream);
  for (let i = 0; i <= bytes.length; i++) {
    for (const j of [i, Math.min(i + 1, bytes.length), Math.min(i + 7, bytes.length)]) {
      const p = parser();
      const frames = [bytes.slice(0, i), bytes.slice(i, j), bytes.slice(j)].flatMap((part) => p.push(part));
      assert.deepEqual(frames, want, `cut at ${i} and ${j}`);
      assert.equal(p.retry, 1500);
    }
  }
});

test("frames come as soon as they are complete, byte by byte", () => {
  const p = parser();
  const seen: string[] = [];
  for (const [i, byte] of new TextEncoder().encode("data: a\n\ndata: b\r\n\r\n\ndata: c\n\n").entries()) {
    for (const frame of p.push(Uint8Array.of(byte))) seen.push(`${frame.data} at ${i}`);
  }
  assert.deepEqual(seen, ["a at 8", "b at 18", "c at 29"]);
});
