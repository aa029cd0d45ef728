import type { Digest } from "../digest.ts";
import type { Fault } from "./fault.ts";

/** What reading a layer's blob to its end came to. */
export type MeasuredLayer = {
  readonly digest: Digest;
  readonly size: number;
  readonly compression: "gzip" | "zstd" | "none";
  /** The digest of the tar in it. */
  readonly diffId: Digest;
  /** What is wrong with it by itself. */
  readonly faults: readonly Fault[];
};

const layerTypes: ReadonlyMap<string, MeasuredLayer["compression"]> = new Map(
  ["application/vnd.oci.image.layer.v1", "application/vnd.oci.image.layer.nondistributable.v1"]
    .flatMap((type): [string, MeasuredLayer["compression"]][] => [
      [`${type}.tar`, "none"],
      [`${type}.tar+gzip`, "gzip"],
      [`${type}.tar+zstd`, "zstd"],
    ])
    .concat(
      ["application/vnd.docker.image.rootfs.diff", "application/vnd.docker.image.rootfs.foreign.diff"].flatMap(
        (type): [string, MeasuredLayer["compression"]][] => [
          [`${type}.tar`, "none"],
          [`${type}.tar.gzip`, "gzip"],
          [`${type}.tar.zstd`, "zstd"],
        ],
      ),
    ),
);

/** True when a media type is that of a layer, however compressed. */
export function isLayerType(mediaType: string): boolean {
  return layerTypes.has(mediaType);
}

/** True for layers that registries need not have: what they hold may not be passed on. */
export function isForeignLayerType(mediaType: string): boolean {
  return /\.(?:nondistributable|foreign)\./.test(mediaType);
}

/** Compares a layer with the descriptor that names it. */
export function checkBlob(
  measured: Pick<MeasuredLayer, "digest" | "size">,
  { descriptor, place }: { descriptor: { digest: Digest; size: number }; place: string },
): Fault[] {
  const faults: Fault[] = [];
  if (measured.size !== descriptor.size) {
    const problem = `it has ${measured.size} bytes, its descriptor says ${descriptor.size}`;
    faults.push({ kind: "size", place, problem });
  }
  if (measured.digest !== descriptor.digest) {
    faults.push({ kind: "digest", place, problem: `its content is ${measured.digest}` });
  }
  return faults;
}

/** Compares how a layer is compressed with what its media type says. */
export function checkLayerType(
  measured: MeasuredLayer,
  { mediaType, place }: { mediaType: string; place: string },
): Fault[] {
  const announced = layerTypes.get(mediaType);
  if (announced === undefined) {
    return [{ kind: "media-type", place, problem: `${mediaType} is no media type of a layer` }];
  }
  if (announced === measured.compression) return [];
  const words = { gzip: "gzip", zstd: "zstd", none: "an uncompressed tar" };
  const problem = `its media type ${mediaType} says ${words[announced]}, but it is ${words[measured.compression]}`;
  return [{ kind: "media-type", place, problem }];
}

/** Compares an image's layers with what its config says of them; a layer that could not be read is undefined. */
export function checkLayers(
  layers: readonly (MeasuredLayer | undefined)[],
  options: { diffIds: readonly Digest[]; historyLayers: number | undefined; place: string },
): Fault[] {
  const { diffIds, historyLayers, place } = options;
  const faults: Fault[] = [];
  const count = layers.length;
  if (diffIds.length !== count) {
    const problem = `it names ${diffIds.length} diff ids, and there are ${count} layers`;
    faults.push({ kind: "diff-id-count", place, problem });
  }
  if (historyLayers !== undefined && historyLayers !== count) {
    const problem = `its history tells of ${historyLayers} layers, and there are ${count}`;
    faults.push({ kind: "history-count", place, problem });
  }
  for (const [index, layer] of layers.entries()) {
    const diffId = diffIds[index];
    if (layer === undefined || diffId === undefined || layer.diffId === diffId) continue;
    const problem = `it names ${diffId} as diff id of layer ${index + 1}, which is ${layer.diffId}`;
    faults.push({ kind: "diff-id", place, problem });
  }
  return faults;
}
