import { join } from "node:path";
import { UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { ImageSource } from "../oci/content.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { openArchive } from "../store/content-files.ts";
import { cacheDirectory } from "../store/directories.ts";
import { openDockerArchiveSource } from "../store/docker-archive-source.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** An image of the store of the engine that is found; throws a UserError when that does not have it. */
export async function openEngineSource(name: string, tools: Tools): Promise<ImageSource> {
  return withSavedImage(name, tools, async (path, what) => {
    // An open file can be read after its folder is gone.
    const files = await openArchive(path);
    try {
      return await openDockerArchiveSource({ ...files, what }, undefined);
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
    await engine.run({ file: engine.path, args: ["save", "--output", path, name], env: {} });
    return work(path, `${name} of ${engine.path}`);
  });
}
