import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { UserError } from "../errors.ts";

const gunzipAsync = promisify(gunzip);

/**
 * The bytes themselves, or what they hold when they are gzip; throws a UserError that starts with `what` past `maximum`
 * bytes.
 */
export async function decompress(bytes: Uint8Array, limit: { maximum: number; what: string }): Promise<Uint8Array> {
  const { maximum, what } = limit;
  if (!isGzip(bytes)) {
    if (bytes.length > maximum) throw tooLarge(limit);
    return bytes;
  }
  try {
    return await gunzipAsync(bytes, { maxOutputLength: maximum });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(limit);
    throw new UserError(`${what} is damaged: it starts like gzip but cannot be decompressed.`, { cause });
  }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function tooLarge({ maximum, what }: { maximum: number; what: string }): UserError {
  return new UserError(`${what} is too large: more than ${maximum} bytes when decompressed.`);
}
