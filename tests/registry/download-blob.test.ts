import { expect, test } from "bun:test";
import { NetworkError } from "../../src/host/network-error.ts";
import { type BlobDownload, downloadBlob } from "../../src/registry/download-blob.ts";

const content = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
const reset = new NetworkError("Could not reach x: reset.", { transient: true });

/** A body that breaks after so many bytes, or does not. */
function bodyOf(bytes: Uint8Array, breaksAfter = Number.POSITIVE_INFINITY): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice(0, breaksAfter));
      if (breaksAfter === Number.POSITIVE_INFINITY) controller.close();
    },
    pull(controller) {
      controller.error(reset);
    },
  });
}

function download(answers: ((offset: number) => Response)[]) {
  const offsets: number[] = [];
  const pauses: number[] = [];
  const blob: BlobDownload = {
    size: content.length,
    what: "blob",
    open: async (offset) => {
      const answer = answers[Math.min(offsets.length, answers.length - 1)];
      offsets.push(offset);
      if (answer === undefined) throw new TypeError("no answer is left");
      return answer(offset);
    },
    retry: { sleep: async (milliseconds) => void pauses.push(milliseconds), now: () => 0 },
  };
  return { read: async () => Buffer.concat(await Array.fromAsync(downloadBlob(blob))), offsets, pauses };
}

const whole = (breaksAfter?: number) => () => new Response(bodyOf(content, breaksAfter));
const part = (breaksAfter?: number) => (offset: number) =>
  new Response(bodyOf(content.slice(offset), breaksAfter), {
    status: 206,
    headers: { "content-range": `bytes ${offset}-999/1000` },
  });

test("where a connection breaks, the rest is asked for", async () => {
  const { read, offsets, pauses } = download([whole(300), part(200), part()]);
  expect(await read()).toEqual(Buffer.from(content));
  expect(offsets).toEqual([0, 300, 500]);
  expect(pauses).toEqual([500, 1000]);
});

test("a server that sends it all again is read from where it is new", async () => {
  const { read, offsets } = download([whole(300), whole(100), whole(700), whole()]);
  expect(await read()).toEqual(Buffer.from(content));
  expect(offsets).toEqual([0, 300, 300, 700]);
});

test("a server that always breaks off is given up after four attempts", async () => {
  const { read, offsets } = download([whole(10), part(10)]);
  await expect(read()).rejects.toMatchObject({ message: reset.message, transient: false });
  expect(offsets).toEqual([0, 10, 20, 30]);
});

test("another part than was asked for is refused", async () => {
  const wrong = () => new Response("x", { status: 206, headers: { "content-range": "bytes 999-999/1000" } });
  await expect(download([whole(300), wrong]).read()).rejects.toThrow("sent another part than asked for");
  const untold = () => new Response("x", { status: 206 });
  await expect(download([whole(300), untold]).read()).rejects.toThrow("sent another part than asked for");
});
