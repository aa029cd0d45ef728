import { UserError } from "../errors.ts";
import { createDigester, type Digest } from "./digest.ts";

/** What content must be: its digest and its size in bytes, and what to call it in messages. */
export type ExpectedContent = { readonly digest: Digest; readonly size: number; readonly resource: string };

/**
 * Passes chunks on and throws a UserError as soon as there are too many bytes, or at the end when size or digest
 * differ: whoever consumes them must not act on any before the end.
 */
export async function* verifiedChunks(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: ExpectedContent,
): AsyncGenerator<Uint8Array> {
  const digester = createDigester();
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > expected.size) throw differs(expected, `more than ${expected.size} bytes came`);
    digester.update(chunk);
    yield chunk;
  }
  if (size !== expected.size) throw differs(expected, `${size} bytes came instead of ${expected.size}`);
  const digest = digester.digest();
  if (digest !== expected.digest) throw differs(expected, `its content is ${digest}`);
}

/** Checks bytes that are at hand; throws the same UserError as `verifiedChunks`. */
export function verifyDigest(digest: Digest, expected: { digest: Digest; resource: string }): void {
  if (digest !== expected.digest) throw differs(expected, `its content is ${digest}`);
}

function differs(expected: { digest: Digest; resource: string }, found: string): UserError {
  return new UserError(`Digest did not match for ${expected.resource}.`, {
    hint: `${expected.digest} was wanted, but ${found}. It was damaged or changed on the way or in the registry; nothing of it was used.`,
  });
}
