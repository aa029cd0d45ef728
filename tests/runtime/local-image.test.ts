import { expect, test } from "bun:test";
import { readImageInspection } from "../../src/runtime/local-image.ts";

const hex = (digit: string) => `sha256:${digit.repeat(64)}`;
const docker = (changes: object = {}) => ({
  Id: hex("1"),
  RepoTags: ["debian:bookworm", "ubuntu:24.04"],
  RepoDigests: [],
  Os: "linux",
  Architecture: "amd64",
  Config: {
    User: "vscode",
    Env: ["PATH=/bin", "A=b=c", "EMPTY="],
    Labels: { x: "y" },
    Entrypoint: ["/init"],
    Cmd: null,
  },
  ...changes,
});
const one = (reference: string, image: object) =>
  readImageInspection([reference], JSON.stringify([image])).get(reference);

test("an inspected image tells its digest, platform, user, variables, labels and what it runs", () => {
  expect(one("debian:bookworm", docker())).toEqual({
    id: hex("1"),
    engine: "docker",
    digest: hex("1"),
    pulled: false,
    platform: "linux/amd64",
    user: "vscode",
    env: { PATH: "/bin", A: "b=c", EMPTY: "" },
    labels: { x: "y" },
    entrypoint: ["/init"],
    command: [],
    names: ["docker.io/library/debian:bookworm", "docker.io/library/ubuntu:24.04"],
  });
});

test("the registry's digest of the very repository names an image that was pulled", () => {
  const image = docker({ RepoDigests: [`other.test/debian@${hex("2")}`, `debian@${hex("3")}`] });
  expect(one("docker.io/library/debian:bookworm", image)).toMatchObject({ digest: hex("3"), pulled: true });
});

test("docker and podman name a pulled index by the same digest", () => {
  const index = hex("3");
  const manifest = hex("4");
  const inDocker = docker({ RepoDigests: [`debian@${index}`] });
  const inPodman = docker({
    Id: "1".repeat(64),
    Digest: manifest,
    RepoDigests: [`docker.io/library/debian@${manifest}`, `docker.io/library/debian@${index}`],
  });
  expect(one("debian:bookworm", inDocker)?.digest).toBe(index);
  expect(one("debian:bookworm", inPodman)?.digest).toBe(index);
});

test("a localhost image is named by its config digest on docker and podman alike", () => {
  const inPodman = docker({ Id: "1".repeat(64), Digest: hex("4"), RepoDigests: [`localhost/base@${hex("4")}`] });
  expect(one("localhost/base:1", inPodman)?.digest).toBe(hex("1"));
});

test("when some images are missing, the others are found by name", () => {
  const found = readImageInspection(["nope", "debian:bookworm", "1".repeat(12)], JSON.stringify([docker(), docker()]));
  expect([...found.keys()]).toEqual(["debian:bookworm", "1".repeat(12)]);
});

test("a short name finds the image that podman resolved it to", () => {
  const image = docker({ RepoTags: ["quay.test/acme/tool:1"] });
  expect(readImageInspection(["nope", "tool:1"], JSON.stringify([image])).has("tool:1")).toBe(true);
});

test("an answer that is no list of images is an error, not a crash", () => {
  expect(() => readImageInspection(["x"], "<html>")).toThrow("Could not read the engine's answer");
});
