import assert from "node:assert/strict";
import { mock, test } from "node:test";
import en from "../../strings/en.json";
import { translator, type T } from "../../src/core/i18n.ts";
import { patiently } from "../../src/core/words.ts";

test("the words are asked for until they come, and no longer than somebody waits", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const t = translator("en", en);
  let asked = 0;
  const load = async (): Promise<T> => {
    if (++asked < 3) throw new Error("offline");
    return t;
  };
  const later = async (ms: number) => {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(ms);
  };
  const failed: (() => void)[] = [];
  const came = patiently("en", new AbortController().signal, (again) => failed.push(again), load);
  await later(500);
  await later(0);
  failed.at(-1)!(); // who waits may have it tried again at once
  assert.equal(await came, t);
  assert.deepEqual([asked, failed.length], [3, 2]);

  const ended = new AbortController();
  const never = patiently("en", ended.signal, undefined, () => Promise.reject(new Error("offline")));
  ended.abort();
  await assert.rejects(never, /offline/);
  mock.timers.reset();
});
