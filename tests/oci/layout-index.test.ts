import { expect, test } from "bun:test";
import { sha256Of } from "../../src/oci/digest.ts";
import { layoutEntries, replaceEntries, selectEntry } from "../../src/oci/layout-index.ts";
import { parseImageReference } from "../../src/oci/reference.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const digestOf = (image: string) => sha256Of(image);
const imageOf = (image: string) => ({ mediaType, digest: digestOf(image), size: 1, annotations: {} });
const called = (image: string, ...names: string[]) =>
  layoutEntries(
    imageOf(image),
    names.map((name) => ({ kind: "reference", reference: parseImageReference(name) })),
  );
const tagged = (image: string, tag: string) => layoutEntries(imageOf(image), [{ kind: "tag", tag }]);
const found = (entries: ReturnType<typeof layoutEntries>, name: string) =>
  selectEntry(entries, { name, what: "the layout" })?.digest;

const two = replaceEntries(called("a", "acme/a:1"), called("b", "acme/b:1"));

test("a whole name leads to its image, also as people write it", () => {
  expect(found(two, "docker.io/acme/b:1")).toBe(digestOf("b"));
  expect(found(two, "acme/b:1")).toBe(digestOf("b"));
  expect(found(two, digestOf("a"))).toBe(digestOf("a"));
});

test("a tag that several images have is an error that names them", () => {
  expect(() => found(two, "1")).toThrow(
    'the layout has several images with the tag "1". It has: docker.io/acme/a:1, docker.io/acme/b:1.',
  );
  expect(found(called("a", "acme/a:1", "acme/again:1"), "1")).toBe(digestOf("a"));
});

test("the image that was given a tag alone is what it leads to, for other tools too", () => {
  const entries = replaceEntries(two, tagged("x", "1"));
  expect(found(entries, "1")).toBe(digestOf("x"));
  expect(found(entries, "acme/a:1")).toBe(digestOf("a"));
  const key = "org.opencontainers.image.ref.name";
  expect(entries.filter(({ annotations }) => annotations[key] === "1").map(({ digest }) => digest)).toEqual([
    digestOf("x"),
  ]);
  expect(found([...tagged("x", "1"), ...called("a", "acme/a:1")], "1")).toBe(digestOf("x"));
});

test("a name that is not there is told with those that are", () => {
  expect(() => found(two, "2")).toThrow('the layout has no image called "2". It has: docker.io/acme/a:1');
});
