import { envRecord } from "../oci/env-entries.ts";
import { formatPlatform, parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import { readRemoteImage } from "../registry/image-facts.ts";
import { openRegistry } from "./open-registry.ts";
import type { ReadRemoteBase } from "./resolve-base.ts";
import type { Tools } from "./tools.ts";

/** Reads base images from their registries, with the user's logins. */
export function createRemoteBaseReader(tools: Tools): ReadRemoteBase {
  const registry = openRegistry(tools);
  return async (reference, platform) => {
    const facts = await readRemoteImage(registry, parseImageReference(reference), {
      platform: parsePlatform(platform),
    });
    return {
      reference,
      digest: facts.digest,
      platform: formatPlatform(facts.platform),
      user: facts.config.user,
      env: envRecord(facts.config.env),
      labels: facts.config.labels,
      entrypoint: facts.config.entrypoint,
      command: facts.config.command,
      pulled: true,
    };
  };
}
