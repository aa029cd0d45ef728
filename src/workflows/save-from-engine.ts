import { rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { ImageSource } from "../oci/content.ts";
import type { Engine } from "../runtime/engine.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { openArchive } from "../store/content-files.ts";
import { cacheDirectory } from "../store/directories.ts";
import { dockerManifestFile, openDockerArchiveSource } from "../store/docker-archive-source.ts";
import { openLayoutSource } from "../store/oci-layout-source.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** An image of the store of the engine that is found; throws a UserError when that does not have it. */
export async function openEngineSource(name: string, tools: Tools): Promise<ImageSource> {
  return withSavedImage(name, tools, async (path, what) => {
    // An open file can be read after its folder is gone.
    const files = await openArchive(path);
    try {
      const named = { ...files, what };
      const isDocker = (await files.chunks(dockerManifestFile)) !== undefined;
      return await (isDocker ? openDockerArchiveSource(named, undefined) : openLayoutSource(named, undefined));
    } catch (error) {
      await files.close();
      throw error;
    }
  });
}

/**
 * Has the engine that is found save an image, and works on the archive, which is gone afterwards; throws a UserError
 * when the engine does not have it.
 */
export async function withSavedImage<Result>(
  name: string,
  tools: Tools,
  work: (path: string, what: string) => Promise<Result>,
): Promise<Result> {
  const candidates = engineCandidates(undefined, tools);
  const { engine, answer } = await reachEngine(candidates, (candidate) => candidate.inspectImages([name]));
  if (!answer.has(name)) {
    throw new UserError(`${engine.path} has no image called ${name}.`, {
      hint: `Pull it first, or name it as docker://${name} to read it from its registry.`,
    });
  }
  const cache = cacheDirectory({ environment: tools.environment, homeDirectory: tools.homeDirectory });
  return withTemporaryDirectory(join(cache, "images"), async (directory) => {
    const path = join(directory, "image.tar");
    await save(engine, { name, path });
    return work(path, `${name} of ${engine.path}`);
  });
}

async function save(engine: Engine, { name, path }: { name: string; path: string }): Promise<void> {
  const saveAs = (...format: string[]) =>
    engine.run({ file: engine.path, args: ["save", ...format, "--output", path, name], env: {} });
  try {
    await saveAs();
  } catch (thrown) {
    // Podman writes Docker's format unless told, and knows none of its manifests with layers in zstd.
    if (!(thrown instanceof UserError) || !/zstd compression is not supported/.test(thrown.message)) throw thrown;
    rmSync(path, { force: true });
    await saveAs("--format", "oci-archive");
  }
}
