import { expect, test } from "bun:test";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type Digest, sha256Of } from "../../src/oci/digest.ts";
import { silentTransfer } from "../../src/workflows/pull-into-store.ts";
import { unpackAsFetched } from "../../src/workflows/unpack-as-fetched.ts";

const digestOf = (text: string) => sha256Of(new TextEncoder().encode(text));
const blob = (text: string): Descriptor => ({ mediaType: "any", digest: digestOf(text), size: 1, annotations: {} });
const config = blob("config");
const [one, two] = [blob("one"), blob("two")];

/** A store whose config names these diff ids; `begun` are those that were unpacked, in this order. */
function observe(diffIds: readonly Digest[], document: unknown = { rootfs: { type: "layers", diff_ids: diffIds } }) {
  const begun: Digest[] = [];
  const observer = unpackAsFetched(
    {
      // A fake: what is in the store is the config alone.
      store: Object.assign(Object.create(null), {
        readDocument: ({ digest }: Descriptor) =>
          digest === config.digest ? new TextEncoder().encode(JSON.stringify(document)) : undefined,
      }),
      unpack: async (layers) => {
        begun.push(...layers.map(({ diffId }) => diffId));
        throw new Error("whoever asks for the layer is told");
      },
    },
    silentTransfer,
  );
  observer.found([config, one, two]);
  return { observer, begun };
}

const [first, second] = [digestOf("tar one"), digestOf("tar two")];

test("a layer is unpacked when it has arrived, as what the config says of it, and a failure then is nobody's yet", async () => {
  const { observer, begun } = observe([first, second]);
  observer.done(config);
  expect(begun).toEqual([]);
  observer.done(two);
  expect(begun).toEqual([second]);
  observer.done(one);
  expect(begun).toEqual([second, first]);
  await Bun.sleep(0);
});

test("layers that arrive before the config wait for it", () => {
  const { observer, begun } = observe([first, second]);
  observer.done(two);
  observer.done(one);
  expect(begun).toEqual([]);
  observer.done(config);
  expect(begun).toEqual([second, first]);
});

test("nothing is unpacked early where the config has another number of layers, or is none", () => {
  for (const { observer, begun } of [
    observe([first]),
    observe([first, second, first]),
    observe([], []),
    observe([], 7),
  ]) {
    for (const one of [config, two]) observer.done(one);
    expect(begun).toEqual([]);
  }
});
