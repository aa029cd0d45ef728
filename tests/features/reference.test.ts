import { describe, expect, test } from "bun:test";
import { classifyFeatureId } from "../../src/features/reference.ts";

const location = { configFolder: "/ws/.devcontainer", workspaceFolder: "/ws" };
const classify = (userId: string) => classifyFeatureId(userId, location).reference;

describe("a registry reference", () => {
  test("has registry, namespace and id, and means the tag latest unless it says otherwise", () => {
    expect(classify("ghcr.io/devcontainers/features/node")).toEqual({
      kind: "oci",
      registry: "ghcr.io",
      namespace: "devcontainers/features",
      owner: "devcontainers",
      id: "node",
      path: "devcontainers/features/node",
      resource: "ghcr.io/devcontainers/features/node",
      tag: "latest",
      digest: undefined,
    });
  });

  test("is lower case whatever was written, its tag too", () => {
    expect(classify("GHCR.io/Acme/Features/Go:V1.2")).toMatchObject({
      resource: "ghcr.io/acme/features/go",
      tag: "v1.2",
    });
  });

  test("may have a port, which is no tag", () => {
    expect(classify("localhost:5000/acme/go")).toMatchObject({
      registry: "localhost:5000",
      path: "acme/go",
      tag: "latest",
    });
    expect(classify("private.test:5002/acme/go:2")).toMatchObject({ registry: "private.test:5002", tag: "2" });
  });

  test("may pin a digest instead of a tag", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    expect(classify(`ghcr.io/acme/go@${digest}`)).toMatchObject({
      resource: "ghcr.io/acme/go",
      tag: undefined,
      digest,
    });
  });

  test("of an owner that has moved is fetched from the new owner and keeps its written resource", () => {
    expect(classify("ghcr.io/devcontainers-contrib/features/ant:1")).toMatchObject({
      owner: "devcontainers-extra",
      namespace: "devcontainers-extra/features",
      path: "devcontainers-extra/features/ant",
      resource: "ghcr.io/devcontainers-contrib/features/ant",
    });
  });

  test.each([
    ["ghcr.io/acme/features/go:", "a tag starts with"],
    ["ghcr.io/acme/features/go:-1", "a tag starts with"],
    [`ghcr.io/acme/go:${"a".repeat(129)}`, "a tag starts with"],
    ["ghcr.io/acme/features/go@1", 'after "@" must be "sha256:"'],
    ["ghcr.io/acme/features/go@sha256:abc", 'after "@" must be "sha256:"'],
    [`ghcr.io/acme/go:1@sha256:${"a".repeat(64)}`, "is not a repository name"],
    ["ghcr.io/acme//go", "is not a repository name"],
    ["ghcr.io/acme/../go", "is not a repository name"],
    ["ghcr.io/acme/go lang", "is not a repository name"],
    ["ghcr.io/go", "a registry, a namespace and an id are wanted"],
  ])("%p is refused with the part that is wrong", (userId, reason) => {
    expect(() => classify(userId)).toThrow(reason);
  });
});

describe("a local Feature", () => {
  test("is found beside devcontainer.json and named after its folder", () => {
    expect(classify("./tools/go")).toEqual({ kind: "local", folder: "/ws/.devcontainer/tools/go", id: "go" });
  });

  test("of a hidden devcontainer.json lies in the .devcontainer folder all the same", () => {
    const atRoot = { configFolder: "/ws", workspaceFolder: "/ws" };
    expect(classifyFeatureId("./.devcontainer/go", atRoot).reference).toMatchObject({
      folder: "/ws/.devcontainer/go",
    });
    expect(() => classifyFeatureId("./go", atRoot)).toThrow("must be a child of the .devcontainer folder");
  });

  test("may have two dots in its name", () => {
    expect(classify("./a..b")).toMatchObject({ folder: "/ws/.devcontainer/a..b" });
    expect(classify("./..a")).toMatchObject({ folder: "/ws/.devcontainer/..a" });
  });

  test.each(["../go", "./../go", "./", "./a/..", "../.devcontainer2/go"])(
    "%p leaves the folder and is refused",
    (id) => {
      expect(() => classify(id)).toThrow("must be a child of the .devcontainer folder");
    },
  );

  test("is never named by an absolute path", () => {
    expect(() => classify("/ws/.devcontainer/go")).toThrow("absolute path to a local Feature is not allowed");
  });

  test("written without ./ is refused with the advice to write it", () => {
    expect(() => classify("my-tool")).toThrow("Legacy feature 'my-tool' not supported.");
    expect(() => classify("my-tool")).toThrow('prepend your Feature name with "./"');
  });
});

describe("an archive", () => {
  test("is an https address of a devcontainer-feature-<id>.tgz", () => {
    const url = "https://example.com/a/devcontainer-feature-my_Tool-1.tgz";
    expect(classify(url)).toEqual({ kind: "tarball", url, id: "my_Tool-1" });
  });

  test.each([
    "https://example.com/devcontainer-feature-go.zip",
    "https://example.com/go.tgz",
    "https://example.com/devcontainer-feature-go.tgz/x",
  ])("%p is refused for its name", (url) => {
    expect(() => classify(url)).toThrow("must be called devcontainer-feature-<id>.tgz");
  });

  test("is never fetched without TLS", () => {
    expect(() => classify("http://example.com/devcontainer-feature-go.tgz")).toThrow("only https:// addresses are");
  });
});

describe("a GitHub release", () => {
  test("is three segments whose first cannot be a registry, and is warned about", () => {
    const { reference, warnings } = classifyFeatureId("Acme/Tools.js/go@v1.2", location);
    expect(reference).toEqual({
      kind: "github-legacy",
      owner: "Acme",
      repository: "Tools.js",
      id: "go",
      tag: "v1.2",
    });
    expect(warnings).toEqual([{ kind: "github-legacy", userId: "Acme/Tools.js/go@v1.2" }]);
  });

  test("without a tag is the latest one", () => {
    expect(classify("acme/tools/go")).toMatchObject({ tag: undefined });
  });

  test.each(["acme/tools/sub/go", "acme//go", "acme/tools", "registry:5000/acme/go", ".hidden/acme/go", "..\\go"])(
    "%p means nothing, and the forms that do are listed",
    (userId) => {
      expect(() => classify(userId)).toThrow(`ERR: Feature '${userId}' could not be processed. It is none of:`);
    },
  );
});

describe("a short id from before registries", () => {
  test.each([
    ["git", "ghcr.io/devcontainers/features/git"],
    ["golang", "ghcr.io/devcontainers/features/go"],
    ["common", "ghcr.io/devcontainers/features/common-utils"],
  ])("%p still works, with a warning", (userId, resource) => {
    const { reference, warnings } = classifyFeatureId(userId, location);
    expect(reference).toMatchObject({ kind: "oci", resource, tag: "1" });
    expect(warnings).toEqual([{ kind: "remapped", userId, replacement: `${resource}:1` }]);
  });
});
