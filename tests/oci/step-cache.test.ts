import { expect, test } from "bun:test";
import { sha256Of } from "../../src/oci/digest.ts";
import { readStepCache, STEP_CACHE_TYPE, stepCacheDocuments } from "../../src/oci/step-cache.ts";

const layer = (name: string) => ({
  diffId: sha256Of(name),
  descriptor: {
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: sha256Of(`${name} zipped`),
    size: 3,
    annotations: {},
  },
});
const [first, second] = ["1".repeat(64), "2".repeat(64)];

test("a step cache is an OCI artifact that reads back as it was, the same bytes in whatever order it was made", () => {
  const there = stepCacheDocuments(
    new Map([
      [first, layer("a")],
      [second, layer("b")],
    ]),
  );
  const back = stepCacheDocuments(
    new Map([
      [second, layer("b")],
      [first, layer("a")],
    ]),
  );
  expect(there.manifest.descriptor.digest).toBe(back.manifest.descriptor.digest);
  expect(there.config.descriptor.mediaType).toBe(STEP_CACHE_TYPE);
  expect(there.manifest.manifest).toMatchObject({
    kind: "image",
    layers: [layer("a").descriptor, layer("b").descriptor],
  });
  expect([...readStepCache(there.config.bytes, "It")]).toEqual([
    [first, layer("a")],
    [second, layer("b")],
  ]);
});

test("two steps that made the same layer have one blob", () => {
  const { manifest } = stepCacheDocuments(
    new Map([
      [first, layer("a")],
      [second, layer("a")],
    ]),
  );
  expect(manifest.manifest).toMatchObject({ layers: [layer("a").descriptor] });
});

test("what is no step cache is refused by what is wrong with it", () => {
  const read = (value: unknown) => () => readStepCache(new TextEncoder().encode(JSON.stringify(value)), "The list");
  expect(read({})).toThrow("The list is not valid: steps");
  expect(read({ steps: { "../x": layer("a") } })).toThrow("The list is not valid");
  expect(read({ steps: { [first]: { ...layer("a"), diffId: "md5:1" } } })).toThrow("diffId");
});
