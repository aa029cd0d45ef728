import type { CompressionJob, CompressionResult } from "./compress.ts";

declare const self: {
  onmessage: ((event: { readonly data: CompressionJob }) => void) | null;
  postMessage(message: CompressionResult, transfer: readonly ArrayBuffer[]): void;
};

self.onmessage = ({ data: { buffer, length, level } }) => {
  const compressed = Bun.gzipSync(new Uint8Array(buffer, 0, length), { level, library: "libdeflate" });
  self.postMessage({ buffer, compressed }, [buffer, compressed.buffer]);
};
