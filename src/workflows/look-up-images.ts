import type { Engine } from "../runtime/engine.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import type { BuildRequest } from "./build-request.ts";
import { backendEngines } from "./open-engine.ts";
import { createRemoteBaseReader } from "./read-remote-base.ts";
import { absentBaseFacts, type BaseFacts, localBaseFacts, scratchFacts } from "./resolve-base.ts";
import type { Tools } from "./tools.ts";

/** An engine that answered, and those of the images it was asked about that it has. */
export interface LookedUpImages {
  readonly engine: Engine;
  readonly images: ReadonlyMap<string, LocalImage>;
}

/** Asks for images and, in the same breath, for those that already have the names wanted; of `engine`, else of the first that answers. */
export async function lookUpImages(
  references: readonly string[],
  asked: { readonly request: BuildRequest; readonly engine?: Engine | undefined },
  tools: Tools,
): Promise<LookedUpImages> {
  const candidates = asked.engine === undefined ? backendEngines(asked.request, tools) : ([asked.engine] as const);
  const wanted = [...references.filter(isImage), ...asked.request.imageNames];
  const { engine, answer } = await reachEngine(candidates, (candidate) => candidate.inspectImages(wanted));
  return { engine, images: answer };
}

/** The facts of an image that was looked up: the engine's, else its registry's; for `platform`, else for whatever there is. */
export async function baseFactsOf(
  base: { readonly reference: string; readonly platform: string | undefined },
  looked: LookedUpImages,
  tools: Tools,
): Promise<BaseFacts> {
  const question = { ...base, defaultPlatform: defaultPlatform(tools) };
  if (!isImage(base.reference)) return scratchFacts(base.platform ?? question.defaultPlatform);
  const local = localBaseFacts(looked.images.get(base.reference), question);
  return (
    local ?? absentBaseFacts(question, { engine: looked.engine, readRemote: createRemoteBaseReader(tools), tools })
  );
}

/** Whether a reference names an image, rather than the absence of one. */
export function isImage(reference: string): boolean {
  return reference !== "scratch";
}

/** The platform of this machine's containers. */
export function hostPlatform(): string {
  return `linux/${process.arch}`;
}

/** The platform that is built for when none is asked for. */
export function defaultPlatform(tools: Tools): string {
  return tools.environment["DOCKER_DEFAULT_PLATFORM"] || hostPlatform();
}
