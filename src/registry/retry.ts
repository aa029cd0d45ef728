import type { Fetch } from "../host/fetch.ts";
import { NetworkError } from "../host/network-error.ts";

/** Waits for milliseconds. */
export type Sleep = (milliseconds: number) => Promise<void>;

/** How often and how long to try; all times in milliseconds. */
export type RetryPolicy = {
  readonly sleep: Sleep;
  /** Milliseconds since 1970, for a `Retry-After` that is a date. */
  readonly now: () => number;
  /** How often something is tried in all. */
  readonly attempts?: number;
  /** The first pause; each next one is twice as long. */
  readonly firstPause?: number;
  /** A server that asks for more is not waited for. */
  readonly longestPause?: number;
};

const passingStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** True for an answer that says less about the request than about the server's present state. */
export function isPassing(response: Response): boolean {
  return passingStatuses.has(response.status);
}

/** A fetch that asks again, after a pause, when what may be asked twice met a busy server or a broken connection. */
export function withRetry(fetch: Fetch, policy: RetryPolicy): Fetch {
  return (request) => {
    const { method = "GET", isRepeatable = method === "GET" || method === "HEAD" } = request;
    return isRepeatable ? retryAnswer(() => fetch(request), policy) : fetch(request);
  };
}

/** Sends a request that may be sent twice again, after a pause, when it met a busy server or a broken connection. */
export async function retryAnswer(send: () => Promise<Response>, policy: RetryPolicy): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send().catch((thrown: unknown) => transientOrThrow(thrown));
    if (answer instanceof Response && !isPassing(answer)) return answer;
    const pause = pauseAfter(attempt, { policy, answer });
    if (pause === undefined) {
      if (answer instanceof Response) return answer;
      throw exhausted(answer);
    }
    if (answer instanceof Response) await answer.body?.cancel();
    await policy.sleep(pause);
  }
}

/** Runs an operation again, after a pause, when a connection broke in the middle of it. */
export async function retryTransient<Result>(operation: () => Promise<Result>, policy: RetryPolicy): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (thrown) {
      const answer = transientOrThrow(thrown);
      const pause = pauseAfter(attempt, { policy, answer });
      if (pause === undefined) throw exhausted(answer);
      await policy.sleep(pause);
    }
  }
}

/** The error when something was tried often enough: whoever called is not to start over. */
export function exhausted({ message, hint }: NetworkError): NetworkError {
  return new NetworkError(message, { transient: false, hint });
}

/** Gives back a broken connection and throws everything else on. */
export function transientOrThrow(thrown: unknown): NetworkError {
  if (thrown instanceof NetworkError && thrown.transient) return thrown;
  throw thrown;
}

/** How long to wait before trying again; undefined when it is time to give up. */
export function pauseAfter(
  attempt: number,
  context: { policy: RetryPolicy; answer: Response | NetworkError },
): number | undefined {
  const { attempts = 4, firstPause = 500, longestPause = 30_000, now } = context.policy;
  if (attempt >= attempts) return undefined;
  const wanted = context.answer instanceof Response ? retryAfter(context.answer, now) : undefined;
  const pause = Math.max(wanted ?? 0, firstPause * 2 ** (attempt - 1));
  return pause > longestPause ? undefined : pause;
}

function retryAfter(response: Response, now: () => number): number | undefined {
  const header = response.headers.get("retry-after");
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : date - now();
}
