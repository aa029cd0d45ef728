import { parseImageReference } from "../oci/reference.ts";
import type { Engine } from "../runtime/engine.ts";
import type { BuildRequest } from "./build-request.ts";
import { baseFactsOf, lookUpImages } from "./look-up-images.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import type { Tools } from "./tools.ts";

/** An image as the source of a build: the engine's own, else its registry's. */
export async function resolveImage(
  request: BuildRequest,
  question: { readonly reference: string; readonly platform: string | undefined; readonly engine?: Engine | undefined },
  tools: Tools,
): Promise<ResolvedSource> {
  const { reference, platform, engine } = question;
  parseImageReference(reference);
  const looked = await lookUpImages([reference], { request, engine }, tools);
  const base = await baseFactsOf({ reference, platform }, looked, tools);
  return {
    ...looked,
    plan: { kind: "image", base: { reference, digest: base.digest, platform: base.platform } },
    base,
    user: base.user,
    files: null,
    frontend: { syntax: undefined },
    pullable: false,
    cacheFrom: [],
  };
}
