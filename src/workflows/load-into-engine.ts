import { UserError } from "../errors.ts";
import type { ManifestDocument } from "../oci/content.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/**
 * Puts the archive of an image into the store of the engine that is found; throws a UserError with the end of what the
 * engine said when it refuses it, and what may be the reason when the layers are compressed with zstd.
 */
export async function loadIntoEngine(
  archive: string,
  { root, dockerPath }: { root: ManifestDocument; dockerPath: string | undefined },
  tools: Tools,
): Promise<void> {
  const candidates = engineCandidates(dockerPath, tools);
  const { engine } = await reachEngine(candidates, (candidate) => candidate.inspectImages([]));
  try {
    await engine.run({ file: engine.path, args: ["load", "--input", archive], env: {} }, { onOutput: tools.log.raw });
  } catch (thrown) {
    if (!(thrown instanceof UserError) || !hasZstd(root)) throw thrown;
    throw new UserError(thrown.message, {
      hint: "The image's layers are compressed with zstd, which Docker before 23 cannot read. Assemble it with --compression gzip.",
      cause: thrown,
    });
  }
}

function hasZstd({ manifest }: ManifestDocument): boolean {
  return manifest.kind === "image" && manifest.layers.some(({ mediaType }) => mediaType.endsWith("zstd"));
}
