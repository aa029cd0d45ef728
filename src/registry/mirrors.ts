import { UserError } from "../errors.ts";
import type { RegistryClient, Repository } from "./registry-client.ts";
import type { RegistrySettings } from "./registry-settings.ts";

/**
 * Reads from a registry's mirrors first, and from itself when they cannot help. A mirror serves the same repositories
 * under its own name; what it gives is checked against digests all the same.
 */
export function withMirrors<Client extends RegistryClient>(
  client: Client,
  { mirrors }: Pick<RegistrySettings, "mirrors">,
): Client {
  if (mirrors.size === 0) return client;

  async function first<Place extends Repository, Result>(
    place: Place,
    read: (place: Place) => Promise<Result>,
  ): Promise<Result> {
    for (const domain of mirrors.get(place.domain) ?? []) {
      try {
        return await read({ ...place, domain });
      } catch (thrown) {
        if (!(thrown instanceof UserError)) throw thrown;
      }
    }
    return read(place);
  }

  async function* blobChunks(
    place: Repository,
    descriptor: Parameters<RegistryClient["blobChunks"]>[1],
  ): AsyncGenerator<Uint8Array> {
    for (const domain of mirrors.get(place.domain) ?? []) {
      let given = false;
      try {
        for await (const chunk of client.blobChunks({ ...place, domain }, descriptor)) {
          given = true;
          yield chunk;
        }
        return;
      } catch (thrown) {
        // What was given out cannot be taken back: whoever reads it learns that it is damaged.
        if (given || !(thrown instanceof UserError)) throw thrown;
      }
    }
    yield* client.blobChunks(place, descriptor);
  }

  return {
    ...client,
    manifest: (reference, options) => first(reference, (place) => client.manifest(place, options)),
    blob: (repository, descriptor, options) => first(repository, (place) => client.blob(place, descriptor, options)),
    blobChunks,
  };
}
