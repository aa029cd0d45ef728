import type { ImageSource, LocalImageSink } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Image } from "../oci/image.ts";

/** Where layers are read from and written to; what is aborted ends the reading. */
type Ends = {
  readonly base: ImageSource | undefined;
  readonly sink: LocalImageSink;
  readonly signal: AbortSignal;
};

const concurrentReads = 3;

/**
 * Begins to write what the images start from and the sink lacks, in the order of the images, a few layers at a time.
 * What is written after that comes after it, however long the reading takes.
 */
export async function beginBaseLayers(images: readonly Image[], ends: Ends): Promise<{ readonly done: Promise<void> }> {
  const { base, sink, signal } = ends;
  if (base === undefined) return { done: Promise.resolve() };
  const layers = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.digest, layer]));
  const missing: Descriptor[] = [];
  for (const layer of layers.values()) if (!(await sink.has(layer))) missing.push(layer);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const takeTurn = createTurns(concurrentReads);
  const writing = missing.map(async (layer) => {
    try {
      await sink.write(layer, inTurn(base.open(layer), { takeTurn, signal: either }));
    } catch (thrown) {
      stop.abort(thrown);
      throw thrown;
    }
  });
  return { done: allEnded(writing, stop.signal) };
}

/** Resolves when all have; rejects with why the first failed, when none is under way any more. */
async function allEnded(writing: readonly Promise<void>[], stopped: AbortSignal): Promise<void> {
  await Promise.allSettled(writing);
  if (stopped.aborted) throw stopped.reason;
}

async function* inTurn(
  chunks: AsyncIterable<Uint8Array>,
  { takeTurn, signal }: { takeTurn: () => Promise<() => void>; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const giveBack = await takeTurn();
  try {
    signal.throwIfAborted();
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      yield chunk;
    }
  } finally {
    giveBack();
  }
}

/** So many have a turn at a time, in the order of asking; each gives it back by calling what it got. */
function createTurns(count: number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let free = count;
  const giveBack = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return giveBack;
  };
}
