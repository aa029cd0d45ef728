import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, hexOf, sha256Of } from "../oci/digest.ts";
import { verifiedChunks, verifyDigest } from "../oci/verified-content.ts";

/** Content by digest, kept between runs; safe with any number of processes at once. */
export type BlobCache = {
  /** The bytes that a digest names; undefined when they are absent or were damaged, in which case they are removed. */
  read(digest: Digest): Promise<Uint8Array | undefined>;
  /** Keeps bytes; throws a UserError, and keeps nothing, when they are not what the digest names. */
  write(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Keeps a stream as it comes; throws a UserError, and keeps nothing, when digest or size differ. */
  writeChunks(expected: { digest: Digest; size: number }, chunks: AsyncIterable<Uint8Array>): Promise<void>;
};

/** The cache in `<directory>/blobs/sha256`, which is made when something is written. */
export function createBlobCache(directory: string): BlobCache {
  const folder = join(directory, "blobs", "sha256");
  const pathOf = (digest: Digest) => join(folder, hexOf(digest));

  /** Whatever `fill` writes appears under the digest's name at once and whole. */
  async function place(
    digest: Digest,
    fill: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    await mkdir(folder, { recursive: true });
    const partial = join(folder, `.${hexOf(digest)}.${randomUUID()}.partial`);
    try {
      const file = await open(partial, "wx");
      try {
        await fill((chunk) => file.writeFile(chunk));
      } finally {
        await file.close();
      }
      await rename(partial, pathOf(digest));
    } finally {
      await rm(partial, { force: true });
    }
  }

  return {
    async read(digest) {
      const bytes = await readFile(pathOf(digest)).catch(() => undefined);
      if (bytes === undefined || sha256Of(bytes) === digest) return bytes;
      await rm(pathOf(digest), { force: true });
      return undefined;
    },
    async write(digest, bytes) {
      verifyDigest(sha256Of(bytes), { digest, resource: "content for the cache" });
      await place(digest, (write) => write(bytes));
    },
    writeChunks: (expected, chunks) =>
      place(expected.digest, async (write) => {
        const { digest, size } = expected;
        for await (const chunk of verifiedChunks(chunks, { digest, size, resource: `blob ${digest}` }))
          await write(chunk);
      }),
  };
}
