import { createDigester, type Digest } from "../oci/digest.ts";

/** A piece of the stream, or the question what the digest of all of them is. */
export type HashJob = { readonly buffer: ArrayBuffer; readonly length: number } | "digest";
/** A buffer that is free again, or the digest. */
export type HashAnswer = ArrayBuffer | Digest;

declare const self: {
  onmessage: ((event: { readonly data: HashJob }) => void) | null;
  postMessage(message: HashAnswer, transfer?: readonly ArrayBuffer[]): void;
};

const digester = createDigester();

self.onmessage = ({ data }) => {
  if (data === "digest") {
    self.postMessage(digester.digest());
    return;
  }
  digester.update(new Uint8Array(data.buffer, 0, data.length));
  self.postMessage(data.buffer, [data.buffer]);
};
