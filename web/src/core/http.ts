// Requests to the server: JSON, time limits, and errors as the server describes them.

import type { Env } from "./env.ts";
import type { Problem as Described } from "./protocol.gen.ts";

/** Why a request did not do what it should. Status 0 means that no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** For developers: the customer is told in the words of their language. */
    detail: string,
    /** In milliseconds. */
    readonly retryAfter?: number,
    /** It is this server's answer, not that of a proxy in front of it. */
    readonly ours = true,
  ) {
    super(detail);
  }

  /** The same request may work later. What a proxy refuses the server has not seen, unless
   * it is too large to get there. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 500 || [408, 425, 429].includes(this.status) || (!this.ours && this.status !== 413);
  }
}

export interface Http {
  get<R>(path: string, token?: string, cache?: RequestCache): Promise<R>;
  post<R>(path: string, body: unknown, token?: string): Promise<R>;
  blob(path: string, token: string): Promise<Blob>;
}

/** ended stops what is under way. */
export function http(env: Env, base: string, ended: AbortSignal): Http {
  async function request<R>(path: string, init: RequestInit, token: string | undefined, read: (r: Response) => Promise<R>): Promise<R> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), env.times.request);
    const stop = () => limit.abort();
    ended.addEventListener("abort", stop);
    try {
      const headers = { Accept: "application/json", ...init.headers, ...(token && { Authorization: `Bearer ${token}` }) };
      const response = await env.fetch(base + path, { ...init, headers, credentials: "omit", signal: limit.signal });
      if (!response.ok) throw await problem(response);
      return await read(response);
    } catch (error) {
      throw asProblem(error);
    } finally {
      clearTimeout(timer);
      ended.removeEventListener("abort", stop);
    }
  }
  const json = (r: Response) => r.json();
  return {
    get: (path, token, cache = "default") => request(path, { cache }, token, json),
    post: (path, body, token) =>
      request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }, token, json),
    blob: (path, token) => request(path, { headers: { Accept: "*/*" } }, token, (r) => r.blob()),
  };
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, String(error));
}

/** The problem that a response describes. */
export async function problem(response: Response): Promise<Problem> {
  const body = await response.text().catch(() => "");
  return described(response.status, body, response.headers.get("Retry-After"));
}

export function described(status: number, body: string, retryAfter: string | null): Problem {
  let why: Partial<Described> | undefined;
  try {
    why = JSON.parse(body) as Partial<Described>;
  } catch {
    // a proxy's page
  }
  const ours = String(why?.type).startsWith("/problems/");
  const seconds = Math.min(Number(retryAfter), hour);
  return new Problem(status, why?.detail ?? `status ${status}`, seconds > 0 ? seconds * 1000 : undefined, ours);
}

const hour = 3600;
