import { createBlobCache } from "../store/blob-cache.ts";
import { cacheDirectory } from "../store/directories.ts";
import { unpackArchive } from "../store/unpack.ts";
import type { FeaturePorts } from "./fetch-feature.ts";
import { createDownload } from "./fetch-feature-download.ts";
import { openFetch, openRegistry } from "./open-registry.ts";
import type { Tools } from "./tools.ts";

/** What Features are fetched with: registries, https, and the caches in cooper's own directory. */
export function openFeaturePorts(tools: Tools): FeaturePorts {
  const cacheFolder = cacheDirectory(tools);
  return {
    cacheFolder,
    unpack: (archive, folder) => unpackArchive(archive, folder),
    registry: openRegistry(tools),
    blobs: createBlobCache(cacheFolder),
    download: createDownload(openFetch(tools)),
    environment: tools.environment,
  };
}
