import { expect, test } from "bun:test";
import { readFoundImages } from "../../src/runtime/engine-images.ts";

const id = "1".repeat(64);

test("docker's and podman's images are told alike", () => {
  const labels = { "dev.cooper.plan": "x" };
  const made = {
    RepoTags: ["app:1"],
    Created: "2026-01-01T00:00:00Z",
    Size: 7,
    Config: { Labels: labels },
    RootFS: { Type: "layers", Layers: ["sha256:a"] },
  };
  const told = { names: ["app:1"], created: made.Created, time: Date.parse(made.Created), size: 7, labels };
  const [docker, podman] = readFoundImages(
    JSON.stringify([
      { Id: `sha256:${id}`, ...made },
      { Id: id, Digest: "d", ...made },
    ]),
  );
  expect(docker).toEqual({ ...told, id, where: "docker", layers: ["sha256:a"] });
  expect(podman).toEqual({ ...told, id, where: "podman", layers: ["sha256:a"] });
});

test("an image of no time of its own was made when docker got it", () => {
  const [image] = readFoundImages(
    JSON.stringify([
      { Id: id, Created: "1970-01-01T00:00:00Z", Metadata: { LastTagTime: "2026-01-01T00:00:00Z" }, RepoTags: null },
    ]),
  );
  expect(image).toMatchObject({ time: Date.parse("2026-01-01T00:00:00Z"), names: [], created: "1970-01-01T00:00:00Z" });
});

test("an answer that is no list of images is an error, and no answer is no image", () => {
  expect(() => readFoundImages("<html>")).toThrow("Could not read the engine's answer");
  expect(readFoundImages("")).toEqual([]);
});
