import type { ImageSource } from "../oci/content.ts";
import { formatReference, type ImageReference } from "../oci/reference.ts";
import { groupByRepository } from "../oci/repository-groups.ts";
import { type TransferObserver, transferImage } from "../oci/transfer-image.ts";
import { openRegistrySink } from "../registry/registry-sink.ts";
import { openRegistry } from "./open-registry.ts";
import type { Tools } from "./tools.ts";

const concurrentBlobs = 4;

/** Pushes all that a source holds under each of the references; blobs of its repository are mounted where they can be. */
export async function pushSource(
  source: ImageSource,
  { references, observer }: { references: readonly ImageReference[]; observer: TransferObserver },
  tools: Tools,
): Promise<void> {
  const client = openRegistry(tools);
  for (const group of groupByRepository(references)) {
    const sink = openRegistrySink(client, { references: group, from: source.repository });
    await transferImage(source, sink, { root: source.root, concurrency: concurrentBlobs, observer });
    for (const reference of group) tools.log.info(`Pushed ${formatReference(reference)}`);
  }
}
