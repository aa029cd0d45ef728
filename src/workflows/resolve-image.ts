import { parseImageReference } from "../oci/reference.ts";
import type { Engine } from "../runtime/engine.ts";
import type { BuildRequest } from "./build-request.ts";
import { baseFactsOf, type LookedUpImages, lookUpImages } from "./look-up-images.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import type { Tools } from "./tools.ts";

/** Which image is wanted, and for which platform; `looked` is what an engine said of it already. */
export interface ImageQuestion {
  readonly reference: string;
  readonly platform: string | undefined;
  readonly engine?: Engine | undefined;
  readonly looked?: LookedUpImages | undefined;
}

/** An image as the source of a build: the engine's own, else its registry's. */
export async function resolveImage(
  request: BuildRequest,
  question: ImageQuestion,
  tools: Tools,
): Promise<ResolvedSource> {
  const { reference, platform, engine } = question;
  parseImageReference(reference);
  const looked = question.looked ?? (await lookUpImages([reference], { request, engine }, tools));
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
