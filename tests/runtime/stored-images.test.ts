import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { indexDocument } from "../../src/oci/image.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import { inspectImages } from "../../src/runtime/stored-images.ts";
import { openImageStore } from "../../src/store/image-store.ts";
import { writeStoredImage } from "../store/stored-image.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-stored-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const signal = new AbortController().signal;
const store = openImageStore(join(directory, "store"), { signal });
const [amd64, arm64] = [parsePlatform("linux/amd64"), parsePlatform("linux/arm64")];
const indexDigest = `sha256:${"a".repeat(64)}` as const;

const built = await writeStoredImage(store, { names: ["localhost/app:1", "acme/app:1"], labels: { x: "y" } });
const origin = { name: "docker.io/library/debian", digest: indexDigest };
await writeStoredImage(store, { names: ["debian:12", "base:1"], label: "pulled", origin });

test("a stored image tells what an engine would tell of it", () => {
  const image = inspectImages(store, ["localhost/app:1"], amd64).get("localhost/app:1");
  expect(image).toEqual({
    id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    engine: "store",
    digest: image?.id ?? "",
    pulled: false,
    platform: "linux/amd64",
    user: "me",
    env: { A: "b=c" },
    labels: { x: "y" },
    entrypoint: ["/init"],
    command: [],
    names: ["localhost/app:1", "docker.io/acme/app:1"],
  });
  expect(image?.id).not.toBe(built.digest);
});

test("a pulled image is named by its registry's digest under that registry's name alone", () => {
  const images = inspectImages(store, ["debian:12", "base:1"], amd64);
  expect(images.get("debian:12")).toMatchObject({ digest: indexDigest, pulled: true });
  expect(images.get("base:1")).toMatchObject({ digest: images.get("base:1")?.id ?? "", pulled: false });
});

test("a reference with a digest is named by that", () => {
  const reference = `debian@${indexDigest}`;
  expect(inspectImages(store, [reference], amd64).get(reference)).toMatchObject({ digest: indexDigest });
});

test("what is not there, and what is no reference, is left out", () => {
  const references = ["debian:13", "scratch", "Not A Reference", "sha256:1234", "localhost/app:1"];
  expect([...inspectImages(store, references, amd64).keys()]).toEqual(["localhost/app:1"]);
});

test("of an index the image for the wanted platform is told", async () => {
  const entries = [
    { manifest: await writeStoredImage(store, { names: ["x:1"], label: "amd64" }), platform: amd64 },
    {
      manifest: await writeStoredImage(store, { names: ["x:2"], label: "arm64", architecture: "arm64" }),
      platform: arm64,
    },
  ];
  const sink = await store.openSink({ names: [parseImageReference("multi:1")] });
  await sink.finish(indexDocument(entries, {}));
  const platformFor = (wanted: string) =>
    inspectImages(store, ["multi:1"], parsePlatform(wanted)).get("multi:1")?.platform;
  expect(["linux/amd64", "linux/arm64", "linux/s390x"].map(platformFor)).toEqual([
    "linux/amd64",
    "linux/arm64",
    undefined,
  ]);
});

test("an image that lost a part is as good as absent", async () => {
  const gone = await writeStoredImage(store, { names: ["gone:1"], label: "gone", labels: { only: "here" } });
  rmSync(store.blobPath(gone.digest));
  expect(inspectImages(store, ["gone:1"], amd64).size).toBe(0);
});

test("looking at an image counts as using it", () => {
  utimesSync(store.blobPath(built.digest), 1000, 1000);
  inspectImages(store, ["localhost/app:1"], amd64);
  expect(statSync(store.blobPath(built.digest)).mtimeMs).toBeGreaterThan(1_000_000);
});
