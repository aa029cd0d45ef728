import { isJsonObject } from "../json.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { diffIdsOf } from "../oci/image.ts";
import type { TransferObserver } from "../oci/transfer-image.ts";
import type { NativeSession } from "./native-session.ts";

/**
 * Has each layer of one image unpacked as soon as it and the config, which says what is in it, are in the store. Whoever asks the
 * session for the layer later is told what failed.
 */
export function unpackAsFetched(
  { store, unpack }: Pick<NativeSession, "store" | "unpack">,
  observer: TransferObserver,
): TransferObserver {
  let config: Descriptor | undefined;
  let layers: readonly Descriptor[] = [];
  const diffIds = new Map<Digest, Digest>();
  const waiting: Descriptor[] = [];
  const begin = () => {
    for (const descriptor of waiting.splice(0)) {
      const diffId = diffIds.get(descriptor.digest);
      if (diffId !== undefined) unpack([{ descriptor, diffId }]).catch(() => undefined);
    }
  };
  return {
    ...observer,
    found: (blobs) => {
      [config, ...layers] = blobs;
      observer.found(blobs);
    },
    done: (blob) => {
      observer.done(blob);
      if (config !== undefined && blob.digest === config.digest) {
        const known = diffIdsIn(store.readDocument(config));
        // A layer that an image has twice is one blob: then it is not known which is which.
        if (known.length !== layers.length) return;
        for (const [index, diffId] of known.entries()) diffIds.set(layers[index]?.digest ?? diffId, diffId);
      } else waiting.push(blob);
      if (diffIds.size > 0) begin();
    },
  };
}

/** None where it is no image's config: whoever reads the whole image says so. */
function diffIdsIn(bytes: Uint8Array | undefined): readonly Digest[] {
  if (bytes === undefined) return [];
  try {
    const config: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isJsonObject(config) ? diffIdsOf({ config }) : [];
  } catch {
    return [];
  }
}
