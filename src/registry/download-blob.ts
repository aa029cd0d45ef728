import { UserError } from "../errors.ts";
import { exhausted, pauseAfter, type RetryPolicy, transientOrThrow } from "./retry.ts";

/** A blob that is read from a registry; `open` asks for it from an offset on. */
export type BlobDownload = {
  readonly size: number;
  readonly what: string;
  /** The registry's answer: 200 with all of it, or 206 with the rest. */
  readonly open: (offset: number) => Promise<Response>;
  readonly retry: RetryPolicy;
};

/** A connection that brought this much may break again without being counted against the attempts. */
const enoughProgress = 1024 * 1024;

/** The bytes of a blob, unverified; where the connection breaks they go on from there, over a new one. */
export async function* downloadBlob({ size, what, open, retry }: BlobDownload): AsyncGenerator<Uint8Array> {
  let offset = 0;
  let counted = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await open(offset);
      let skipped = response.status === 206 ? partStart(response, { offset, what }) : 0;
      for await (const chunk of response.body ?? []) {
        // A server that knows no ranges sends it all again.
        const known = Math.min(offset - skipped, chunk.length);
        skipped += known;
        if (known === chunk.length) continue;
        const fresh = chunk.subarray(known);
        skipped += fresh.length;
        offset += fresh.length;
        yield fresh;
      }
      return;
    } catch (thrown) {
      const answer = transientOrThrow(thrown);
      if (offset - counted >= enoughProgress) {
        counted = offset;
        attempt = 1;
      }
      const pause = offset < size ? pauseAfter(attempt, { policy: retry, answer }) : undefined;
      if (pause === undefined) throw exhausted(answer);
      await retry.sleep(pause);
    }
  }
}

function partStart(response: Response, { offset, what }: { offset: number; what: string }): number {
  const start = /^bytes (\d{1,15})-/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (start === undefined || Number(start) > offset) {
    throw new UserError(`Could not go on reading the ${what}: the registry sent another part than asked for.`);
  }
  return Number(start);
}
