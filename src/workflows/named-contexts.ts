import type { NamedContext } from "../dockerfile/dockerfile-build.ts";
import { digestBuildContext } from "./digest-build-context.ts";
import { baseFactsOf, type LookedUpImages } from "./look-up-images.ts";
import { type BaseFacts, scratchFacts } from "./resolve-base.ts";
import type { Tools } from "./tools.ts";

type NamedContexts = Readonly<Record<string, NamedContext>>;

/** Images that named contexts are. */
export function contextImages(contexts: NamedContexts): readonly string[] {
  return Object.values(contexts).flatMap((context) => (context.kind === "image" ? [context.reference] : []));
}

/** The contexts as builders take them: the value of `--build-context` after the name's `=`. */
export function contextLocations(contexts: NamedContexts): Record<string, string> {
  return Object.fromEntries(Object.entries(contexts).map(([name, context]) => [name, contextLocation(context)]));
}

/** What stands for the bytes of each context in a plan's hash: a digest; for what only the builder can read, where it lies. */
export async function digestNamedContexts(
  contexts: NamedContexts,
  looked: LookedUpImages,
  tools: Tools,
): Promise<Record<string, string | null>> {
  const digests = Object.entries(contexts).map(async ([name, context]) => [
    name,
    await digestOf({ name, context }, looked, tools),
  ]);
  return Object.fromEntries(await Promise.all(digests));
}

/** The facts of a context that a stage starts from. */
export async function contextFacts(
  context: NamedContext,
  asked: { readonly looked: LookedUpImages; readonly platform: string | undefined; readonly targetPlatform: string },
  tools: Tools,
): Promise<BaseFacts> {
  switch (context.kind) {
    case "image":
      return baseFactsOf({ reference: context.reference, platform: asked.platform }, asked.looked, tools);
    case "folder":
    case "remote":
      // A file system without a configuration; what is in it is counted among the contexts.
      return scratchFacts(asked.targetPlatform);
  }
}

function contextLocation(context: NamedContext): string {
  switch (context.kind) {
    case "image":
      return `docker-image://${context.reference}`;
    case "folder":
      return context.path;
    case "remote":
      return context.location;
  }
}

async function digestOf(
  named: { readonly name: string; readonly context: NamedContext },
  looked: LookedUpImages,
  tools: Tools,
): Promise<string | null> {
  const { name, context } = named;
  switch (context.kind) {
    case "image": {
      const facts = await baseFactsOf({ reference: context.reference, platform: undefined }, looked, tools).catch(
        () => undefined,
      );
      return facts?.digest ?? null;
    }
    case "folder":
      return digestBuildContext(
        {
          context: context.path,
          ignore: undefined,
          hint: `Check the build context ${JSON.stringify(name)} among "additional_contexts".`,
        },
        tools,
      );
    case "remote":
      return context.location;
  }
}
