import { selectImage } from "../assembly/select-image.ts";
import { UserError } from "../errors.ts";
import { isDigest } from "../oci/digest.ts";
import { diffIdsOf, emptyImage, type Image } from "../oci/image.ts";
import { parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { TransferObserver } from "../oci/transfer-image.ts";
import type { BaseImage } from "../plan/build-plan.ts";
import type { RunningStep } from "../runtime/step-progress.ts";
import { isImage } from "./look-up-images.ts";
import type { NativeSession, StoredLayer } from "./native-session.ts";
import { pullIntoStore } from "./pull-into-store.ts";
import type { Tools } from "./tools.ts";
import { unpackAsFetched } from "./unpack-as-fetched.ts";

/** A base image that is in cooper's store, with its layers, bottom first. */
export interface NativeBase {
  readonly image: Image;
  readonly layers: readonly StoredLayer[];
}

/** What a base is obtained for; `unpacked` says that its layers are needed as folders. */
export interface BaseWork {
  readonly session: NativeSession;
  readonly created: string;
  readonly step: RunningStep;
  readonly unpacked: boolean;
}

/**
 * The base of a plan: what the store has of it, else what its registry has under the digest that was planned with, unpacked while the
 * rest of it arrives.
 */
export async function obtainNativeBase(
  base: BaseImage,
  { session, created, step, unpacked }: BaseWork,
  tools: Tools,
): Promise<NativeBase> {
  const platform = parsePlatform(base.platform);
  if (!isImage(base.reference)) return { image: emptyImage(platform, created), layers: [] };
  const reference = parseImageReference(base.reference);
  const wanted = isDigest(base.digest) ? { ...reference, digest: base.digest } : reference;
  if (session.store.find(reference).length === 0) {
    const told = tellOf(step);
    const observer = unpacked ? unpackAsFetched(session, told) : told;
    await pullIntoStore(wanted, { platform, observer }, tools);
  }
  const source = await session.store.openSource(reference);
  try {
    const image = await selectImage(source, { platform, what: `The base ${base.reference}` });
    refuseTriggers(image, base.reference);
    return { image, layers: storedLayers(image) };
  } finally {
    await source.close();
  }
}

/** An image's layers, bottom first. */
export function storedLayers(image: Image): readonly StoredLayer[] {
  const diffIds = diffIdsOf(image);
  return image.layers.flatMap((descriptor, index) => {
    const diffId = diffIds[index];
    return diffId === undefined ? [] : [{ descriptor, diffId }];
  });
}

function tellOf(step: RunningStep): TransferObserver {
  return {
    found: (blobs) => {
      const size = blobs.reduce((sum, blob) => sum + blob.size, 0);
      step.output(`${blobs.length} blobs, ${(size / 1e6).toFixed(1)} MB\n`);
    },
    passed: () => {},
    done: (blob) => step.output(`${blob.digest} done\n`),
  };
}

/** Docker's images may hold instructions for whoever builds on them. */
function refuseTriggers({ config }: Image, reference: string): void {
  const settings = config["config"];
  const triggers =
    typeof settings === "object" && settings !== null && !Array.isArray(settings) ? settings["OnBuild"] : null;
  if (!Array.isArray(triggers) || triggers.length === 0) return;
  throw new UserError(`The base image ${reference} has ONBUILD instructions, which cooper's own engine does not run.`, {
    hint: "Build with Docker or Podman: --backend engine.",
  });
}
