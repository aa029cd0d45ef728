import { UserError } from "../errors.ts";

/** A content address: `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

/** True for a well-formed sha256 digest, the only algorithm cooper trusts. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** The digest written in `text`; throws a UserError when it is anything but `sha256:` and 64 lower-case hex digits. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new UserError(
    `Invalid digest ${JSON.stringify(text)}: expected "sha256:" followed by 64 lower-case hex digits.`,
  );
}

/** The digest of bytes, or of a text's UTF-8 bytes. */
export function sha256Of(content: Uint8Array | string): Digest {
  return createDigester().update(content).digest();
}

/** The 64 hex digits of a digest, as used in file names. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** A running sha256: feed it chunks, then ask once for the digest. */
export type Digester = {
  update(chunk: Uint8Array | string): Digester;
  digest(): Digest;
};

/** A fresh running sha256. */
export function createDigester(): Digester {
  const hasher = new Bun.CryptoHasher("sha256");
  const digester: Digester = {
    update(chunk) {
      hasher.update(chunk);
      return digester;
    },
    digest: () => `sha256:${hasher.digest("hex")}`,
  };
  return digester;
}
