import { createDigester, type Digest } from "../oci/digest.ts";

/** A piece of the stream, in memory that is shared, or the question what the digest of all of them is. */
export type HashJob = Uint8Array | "digest";
/** That a piece was read, or the digest. */
export type HashAnswer = "read" | Digest;

declare const self: {
  onmessage: ((event: { readonly data: HashJob }) => void) | null;
  postMessage(message: HashAnswer): void;
};

const digester = createDigester();

self.onmessage = ({ data }) => {
  if (data === "digest") {
    self.postMessage(digester.digest());
    return;
  }
  digester.update(data);
  self.postMessage("read");
};
