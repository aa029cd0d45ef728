import { createDigester } from "../oci/digest.ts";
import type { MeasuredLayer } from "../oci/validation/check-layer.ts";
import { createTarScan } from "../oci/validation/tar-scan.ts";
import { decompressChunks } from "./decompress-chunks.ts";

/** Reads a layer's blob once and to its end: digests, compression, and what is wrong with its stream and its tar. */
export async function measureLayer(chunks: AsyncIterable<Uint8Array>, place: string): Promise<MeasuredLayer> {
  const raw = createDigester();
  const content = createDigester();
  const scan = createTarScan(place, { entries: true });
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      raw.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  const { compression, problem } = await decompressChunks(counted(), (part) => {
    content.update(part);
    scan.push(part);
  });
  const inTar = scan.end();
  return {
    digest: raw.digest(),
    size,
    compression,
    diffId: content.digest(),
    // What a damaged stream leaves of a tar says nothing more.
    faults: problem === undefined ? inTar : [{ kind: "archive", place, problem }],
  };
}
