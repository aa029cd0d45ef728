import { type CompressionJob, gzip } from "./compress.ts";

declare const self: {
  onmessage: ((event: { readonly data: CompressionJob }) => void) | null;
  postMessage(message: Uint8Array, transfer: readonly ArrayBuffer[]): void;
};

self.onmessage = ({ data: { chunk, level } }) => {
  const compressed = gzip(chunk, level);
  self.postMessage(compressed, [compressed.buffer]);
};
