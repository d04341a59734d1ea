// Questions to the API. The key stays in this tab, and never in an address.
import { signal } from "@preact/signals";
import { T } from "./text";

const STORED = "fks-key";
const READING_MS = 20_000;

export const key = {
  get: (): string => sessionStorage.getItem(STORED) ?? localStorage.getItem(STORED) ?? "",
  set(value: string, isKept: boolean): void {
    key.forget();
    (isKept ? localStorage : sessionStorage).setItem(STORED, value);
    keyTurn.value++;
  },
  forget(): void {
    sessionStorage.removeItem(STORED);
    localStorage.removeItem(STORED);
    keyTurn.value++;
  },
};

/** Counts the keys that were given: what was asked with another one is asked anew. */
export const keyTurn = signal(0);
/** Counts the changes that were made from here: what they may have changed is asked for anew, at once. */
export const changes = signal(0);

export function credentials(): Record<string, string> {
  const value = key.get();
  if (!value) return {};
  return value.split(".").length === 3 ? { authorization: `Bearer ${value}` } : { "x-api-key": value };
}

/** What the API refused, in its own words. */
export class Refusal extends Error {
  constructor(readonly status: number, reason: string) {
    super(reason);
  }
}

interface Problem {
  detail?: string;
  message?: string;
  stderr?: string;
}

export async function ask<T>(path: string, method = "GET", body?: unknown): Promise<T> {
  const headers: Record<string, string> = { ...credentials() };
  if (body !== undefined) headers["content-type"] = "application/json";
  const isReading = method === "GET"; // what it takes to change something is the monitor's to limit
  const answer = await fetch(path, { method, headers, body: body === undefined ? null : JSON.stringify(body), signal: isReading ? AbortSignal.timeout(READING_MS) : null });
  if (!answer.ok) throw new Refusal(answer.status, await why(answer));
  if (!isReading) changes.value++;
  if (answer.status === 204) return undefined as T;
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  return (isJson ? await answer.json() : await answer.text()) as T;
}

async function why(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as Problem;
    return problem.detail ?? problem.message ?? problem.stderr ?? `HTTP ${answer.status}`;
  } catch {
    return `HTTP ${answer.status}`;
  }
}

export function wordsOf(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return T.failed.slow(READING_MS / 1000);
  if (error instanceof TypeError) return T.failed.unreachable;
  return error instanceof Error ? error.message : String(error);
}

/** Pieces of a streamed answer as they come, until it ends or `signal` says so. */
export async function* stream(path: string, signal: AbortSignal): AsyncGenerator<string> {
  const answer = await fetch(path, { headers: credentials(), signal });
  if (!answer.ok || !answer.body) throw new Refusal(answer.status, await why(answer));
  const decoder = new TextDecoder();
  const reader = answer.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
