// The files in the composer: sent to the server as soon as they are chosen, and to the
// conversation with the next message.

import { asProblem, described, Problem } from "./http.ts";
import type { File } from "./protocol.gen.ts";
import type { Upload, WidgetSettings } from "./types.ts";

export interface Uploads {
  readonly list: readonly Upload[];
  add(file: globalThis.File, takes: WidgetSettings["files"]): void;
  cancel(key: string): void;
  /** Sends one that failed again. */
  again(key: string): void;
  /** The files that are ready, which leave the composer. */
  take(): File[];
  clear(): void;
}

export interface Desk {
  /** Where the files belong. */
  place(): Promise<{ url: string; token: string }>;
  words(problem: Problem): string;
  changed(): void;
}

/** Sends a form with one file; progress is told in bytes. */
export type Send = (url: string, token: string, file: globalThis.File, progress: (sent: number) => void, signal: AbortSignal) => Promise<{ status: number; body: string; retryAfter: string | null }>;

export function uploads(desk: Desk, key: () => string, send: Send = request): Uploads {
  let list: readonly Upload[] = [];
  const running = new Map<string, AbortController>();

  const set = (next: readonly Upload[]) => {
    list = next;
    desk.changed();
  };
  const change = (key: string, to: Partial<Upload>) => set(list.map((u) => (u.key === key ? { ...u, ...to } : u)));
  const stop = (key: string) => {
    running.get(key)?.abort();
    running.delete(key);
  };

  async function run(upload: Upload, file: globalThis.File): Promise<void> {
    const ended = new AbortController();
    running.set(upload.key, ended);
    try {
      const { url, token } = await desk.place();
      if (ended.signal.aborted) return;
      const { status, body, retryAfter } = await send(url, token, file, (sent) => change(upload.key, { sent: Math.min(sent, upload.bytes) }), ended.signal);
      if (status !== 201) throw described(status, body, retryAfter);
      change(upload.key, { state: "ready", sent: upload.bytes, file: JSON.parse(body) as File });
    } catch (error) {
      if (ended.signal.aborted) return;
      const problem = asProblem(error);
      change(upload.key, { state: "failed", error: desk.words(problem), ...(problem.retryAfter !== undefined && { retryAt: Date.now() + problem.retryAfter }) });
    } finally {
      running.delete(upload.key);
    }
  }

  return {
    get list() {
      return list;
    },
    add(file, takes) {
      const upload: Upload = { key: key(), name: file.name, type: file.type, bytes: file.size, state: "sending", sent: 0, blob: file };
      // The server looks for itself; this spares the customer the wait.
      const status = !takes || (file.type && !takes.types.includes(file.type)) ? 415 : file.size > takes.bytes ? 413 : 0;
      if (status) return set([...list, { ...upload, state: "failed", error: desk.words(new Problem(status, "")) }]);
      set([...list, upload]);
      void run(upload, file);
    },
    cancel(key) {
      stop(key);
      set(list.filter((u) => u.key !== key));
    },
    again(key) {
      const upload = list.find((u) => u.key === key && u.state === "failed");
      if (!upload) return;
      change(key, { state: "sending", sent: 0, error: undefined, retryAt: undefined });
      void run(upload, upload.blob as globalThis.File);
    },
    take() {
      const ready = list.filter((u) => u.state === "ready");
      if (ready.length) set(list.filter((u) => u.state !== "ready"));
      return ready.map((u) => u.file!);
    },
    clear() {
      for (const { key } of list) stop(key);
      if (list.length) set([]);
    },
  };
}

/** fetch does not tell how much has been sent. */
const request: Send = (url, token, file, progress, signal) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name);
    request.open("POST", url);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = (e) => progress(e.loaded);
    request.onload = () => resolve({ status: request.status, body: request.responseText, retryAfter: request.getResponseHeader("Retry-After") });
    request.onerror = () => reject(new Error("network"));
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
