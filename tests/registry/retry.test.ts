import { expect, test } from "bun:test";
import type { Fetch } from "../../src/host/fetch.ts";
import { NetworkError } from "../../src/host/network-error.ts";
import { type RetryPolicy, retryTransient, withRetry } from "../../src/registry/retry.ts";

const now = Date.parse("2030-01-01T00:00:00Z");

function recordingPolicy(): { policy: RetryPolicy; pauses: number[] } {
  const pauses: number[] = [];
  return { pauses, policy: { sleep: async (milliseconds) => void pauses.push(milliseconds), now: () => now } };
}

/** Answers in turn, the last one for ever. */
function answering(...answers: ((() => Response) | Error)[]): { fetch: Fetch; count: () => number } {
  let count = 0;
  const fetch: Fetch = async () => {
    const answer = answers[Math.min(count, answers.length - 1)];
    count += 1;
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer();
  };
  return { fetch, count: () => count };
}

const reset = new NetworkError("Could not reach x: reset.", { transient: true, hint: "Wait." });
const ok = () => new Response("ok");
const busy =
  (headers: Record<string, string> = {}, status = 503) =>
  () =>
    new Response(null, { status, headers });
const url = "https://registry.example/v2/";

test.each([408, 429, 500, 502, 503, 504])("a GET that met %d is asked again after growing pauses", async (status) => {
  const { policy, pauses } = recordingPolicy();
  const { fetch } = answering(busy({}, status), busy({}, status), ok);
  expect((await withRetry(fetch, policy)({ url })).status).toBe(200);
  expect(pauses).toEqual([500, 1000]);
});

test("a broken connection is tried again, four times in all, and then not by others either", async () => {
  const { policy, pauses } = recordingPolicy();
  const { fetch, count } = answering(reset);
  const failure = await withRetry(fetch, policy)({ url }).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ message: reset.message, hint: "Wait.", transient: false });
  expect([count(), pauses]).toEqual([4, [500, 1000, 2000]]);
});

test("a server that stays busy has the last word", async () => {
  const { policy } = recordingPolicy();
  const { fetch, count } = answering(busy());
  expect((await withRetry(fetch, policy)({ url })).status).toBe(503);
  expect(count()).toBe(4);
});

test("a pause is as long as the server asks for, in seconds or until a date", async () => {
  for (const wanted of ["7", "Tue, 01 Jan 2030 00:00:07 GMT"]) {
    const { policy, pauses } = recordingPolicy();
    await withRetry(answering(busy({ "retry-after": wanted }), ok).fetch, policy)({ url });
    expect(pauses).toEqual([7000]);
  }
});

test("a server that asks for too long a pause is not waited for", async () => {
  const { policy, pauses } = recordingPolicy();
  const { fetch, count } = answering(busy({ "retry-after": "3600" }, 429), ok);
  expect((await withRetry(fetch, policy)({ url })).status).toBe(429);
  expect([count(), pauses]).toEqual([1, []]);
});

test("a Retry-After that means nothing, or the past, shortens no pause", async () => {
  for (const wanted of ["soon", "-5", "Tue, 01 Jan 2019 00:00:00 GMT"]) {
    const { policy, pauses } = recordingPolicy();
    await withRetry(answering(busy({ "retry-after": wanted }), ok).fetch, policy)({ url });
    expect(pauses).toEqual([500]);
  }
});

test.each([400, 401, 403, 404, 501])("a %d is an answer", async (status) => {
  const { policy } = recordingPolicy();
  const { fetch, count } = answering(busy({}, status), ok);
  expect((await withRetry(fetch, policy)({ url })).status).toBe(status);
  expect(count()).toBe(1);
});

test("what changes nothing is sent again when it says so", async () => {
  const { policy, pauses } = recordingPolicy();
  const request = { url, method: "POST", body: "x", isRepeatable: true } as const;
  expect((await withRetry(answering(busy(), ok).fetch, policy)(request)).status).toBe(200);
  expect(pauses).toEqual([500]);
});

test("what changes something is sent once", async () => {
  const { policy } = recordingPolicy();
  const { fetch, count } = answering(busy(), ok);
  expect((await withRetry(fetch, policy)({ url, method: "POST", body: "x" })).status).toBe(503);
  expect(count()).toBe(1);
});

test("a failure that will not pass is not tried again", async () => {
  const { policy } = recordingPolicy();
  const refused = new NetworkError("refused", { transient: false });
  const { fetch, count } = answering(refused);
  await expect(withRetry(fetch, policy)({ url })).rejects.toBe(refused);
  expect(count()).toBe(1);
});

test("an operation is run again when its connection broke, and not for anything else", async () => {
  const { policy, pauses } = recordingPolicy();
  const results = [reset, reset, "done"];
  const operation = async () => {
    const result = results.shift();
    if (result instanceof Error) throw result;
    return result;
  };
  expect(await retryTransient(operation, policy)).toBe("done");
  expect(pauses).toEqual([500, 1000]);
  await expect(retryTransient(async () => Promise.reject(new TypeError("bug")), policy)).rejects.toThrow("bug");
});
