import { type Digest, sha256Of } from "./digest.ts";

/** What names a layer together with all below it, by the image specification's rule; undefined for no layers at all. */
export function chainIdOf(diffIds: readonly Digest[]): Digest | undefined {
  return diffIds.reduce<Digest | undefined>(
    (parent, diffId) => (parent === undefined ? diffId : sha256Of(`${parent} ${diffId}`)),
    undefined,
  );
}
