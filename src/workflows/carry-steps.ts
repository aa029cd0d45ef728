import { resolve } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import type { ImageSink, ImageSource, LocalImageSink } from "../oci/content.ts";
import { readStepCache, STEP_CACHE_TYPE, type StepCache, stepCacheDocuments } from "../oci/step-cache.ts";
import { parseStepCachePlace, type StepCachePlace } from "../plan/step-cache-place.ts";
import { openRegistrySink } from "../registry/registry-sink.ts";
import { openFolder } from "../store/content-files.ts";
import { openLayoutSink } from "../store/oci-layout-sink.ts";
import type { NativeSession } from "./native-session.ts";
import { openImageSource } from "./open-image-source.ts";
import { openRegistry } from "./open-registry.ts";
import type { Tools } from "./tools.ts";

/** Steps that other machines made. */
export interface CarriedSteps {
  /** The layer of a step's key, in the sink and checked; undefined where nobody made it. */
  readonly find: (key: string) => Promise<NewLayer | undefined>;
  readonly close: () => Promise<void>;
}

const NAME = "steps";
const maximumConfig = 16 * 1024 * 1024;

/** Opens what `--cache-from` names; what cannot be read is told, and as good as empty. */
export async function openCarriedSteps(
  from: readonly string[],
  { session, sink }: { readonly session: NativeSession; readonly sink: LocalImageSink },
  tools: Tools,
): Promise<CarriedSteps> {
  const opened: { readonly source: ImageSource; readonly steps: StepCache }[] = [];
  for (const text of from) {
    const place = parseStepCachePlace(text, "cache-from");
    try {
      opened.push(await openPlace(place, tools));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      tools.log.warning(`No steps are taken from --cache-from ${text}: ${messageOf(error)}`);
    }
  }
  return {
    async find(key) {
      for (const { source, steps } of opened) {
        const layer = steps.get(key);
        if (layer === undefined) continue;
        await sink.write(layer.descriptor, source.open(layer.descriptor));
        // Its tar is what the key's image will say it is, or it is not taken.
        await session.unpack([layer]);
        return layer;
      }
      return undefined;
    },
    async close() {
      for (const { source } of opened) await source.close();
    },
  };
}

async function openPlace(place: StepCachePlace, tools: Tools) {
  const source = await openImageSource(
    place.kind === "registry" ? place : { kind: "oci-layout", path: place.path, name: NAME },
    tools,
  );
  try {
    const { manifest } = source.root;
    if (manifest.kind !== "image" || manifest.config.mediaType !== STEP_CACHE_TYPE) {
      throw new UserError("It is an image, and no cache that cooper's own engine wrote.");
    }
    if (manifest.config.size > maximumConfig) throw new UserError(`Its list has more than ${maximumConfig} bytes.`);
    const parts: Uint8Array[] = [];
    for await (const chunk of source.open(manifest.config)) parts.push(chunk.slice());
    return { source, steps: readStepCache(Buffer.concat(parts), "Its list of steps") };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Writes a build's steps to where `--cache-to` says. */
export async function exportSteps(
  steps: StepCache,
  { to, session }: { readonly to: string; readonly session: NativeSession },
  tools: Tools,
): Promise<void> {
  const place = parseStepCachePlace(to, "cache-to");
  const { config, manifest } = stepCacheDocuments(steps);
  const files = openFolder(session.store.folder);
  const sink = openPlaceSink(place, tools);
  try {
    for (const { descriptor } of steps.values()) {
      if (await sink.has(descriptor)) continue;
      const blob = await files.chunks(`blobs/sha256/${descriptor.digest.slice("sha256:".length)}`);
      if (blob === undefined) throw new UserError(`cooper's store has lost the blob ${descriptor.digest}.`);
      await sink.write(descriptor, blob.chunks);
    }
    await sink.write(config.descriptor, chunkOf(config.bytes));
    await sink.finish(manifest);
  } finally {
    await sink.discard();
  }
}

function openPlaceSink(place: StepCachePlace, tools: Tools): ImageSink {
  switch (place.kind) {
    case "folder":
      return openLayoutSink(resolve(tools.workingDirectory, place.path), [{ kind: "tag", tag: NAME }]);
    case "registry":
      return openRegistrySink(openRegistry(tools), { references: [place.reference] });
  }
}

async function* chunkOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
