import type { Platform } from "../oci/platform.ts";
import type { ImageReference } from "../oci/reference.ts";
import type { TransferObserver } from "../oci/transfer-image.ts";
import { copyImage } from "./copy-image.ts";
import type { Tools } from "./tools.ts";

/** Tells nobody. */
export const silentTransfer: TransferObserver = { found: () => {}, passed: () => {}, done: () => {} };

/** Gets an image from its registry into cooper's store, under its name without a digest, for one platform: this machine's unless told. */
export async function pullIntoStore(
  reference: ImageReference,
  { platform, observer }: { readonly platform: Platform | undefined; readonly observer: TransferObserver },
  tools: Tools,
): Promise<void> {
  const { digest, ...named } = reference;
  const name: ImageReference =
    named.tag === undefined && digest !== undefined ? reference : { ...named, digest: undefined };
  await copyImage(
    {
      source: { kind: "registry", reference },
      destination: { kind: "store", reference: name },
      references: [],
      platforms: platform === undefined ? [] : [platform],
      dockerPath: undefined,
    },
    tools,
    { observer },
  );
}
