import { expect, test } from "bun:test";
import { formatCommand } from "../../src/plan/command.ts";
import {
  type BuildSpec,
  buildCommands,
  commandsAfterBuild,
  optionsThatNeedBuildkit,
} from "../../src/runtime/build-commands.ts";
import type { Builder } from "../../src/runtime/builder.ts";

const SPEC: BuildSpec = {
  dockerfile: "/b/Dockerfile",
  context: "/ws",
  target: "t",
  tags: ["one", "two"],
  namedContexts: { content: "/b/content" },
  buildArgs: { A: "1" },
  platform: undefined,
  delivery: { kind: "load" },
  cacheFrom: ["c1"],
  cacheTo: undefined,
  noCache: false,
  pull: true,
  secrets: ["id=s"],
  ssh: ["default"],
  builder: undefined,
  options: ["--network=host"],
  ignoreFile: undefined,
};
const BUILDX: Builder = { kind: "buildx", namedContexts: true };
const PODMAN: Builder = { kind: "podman", namedContexts: true, mounts: true, selinux: false };

const lines = (builder: Builder, changes: Partial<BuildSpec> = {}) =>
  buildCommands(builder.kind === "podman" ? "podman" : "docker", builder, { ...SPEC, ...changes }).map(formatCommand);

test("buildx is given everything in the order of the reference CLI", () => {
  expect(lines(BUILDX)).toEqual([
    "docker buildx build --progress=plain --load --build-arg BUILDKIT_INLINE_CACHE=1 -f /b/Dockerfile -t one -t two --target t --cache-from c1 --build-arg A=1 --secret id=s --ssh default --network=host --build-context content=/b/content /ws",
  ]);
});

test("without cache buildx pulls and takes no cache sources", () => {
  const [line] = lines(BUILDX, { noCache: true });
  expect(line).toContain("--no-cache --pull --build-arg A=1");
  expect(line).not.toContain("--cache-from");
});

test("buildx delivers to the engine, a registry or a file, for the platforms asked for", () => {
  expect(lines(BUILDX, { delivery: { kind: "push" }, platform: "linux/amd64,linux/arm64" })[0]).toContain(
    "--platform linux/amd64,linux/arm64 --push",
  );
  expect(lines(BUILDX, { delivery: { kind: "export", output: "type=oci,dest=i.tar" } })[0]).toContain(
    "--output type=oci,dest=i.tar",
  );
});

test("an inline cache target needs no inline cache argument beside it", () => {
  expect(lines(BUILDX, { cacheTo: "type=inline" })[0]).not.toContain("BUILDKIT_INLINE_CACHE");
  expect(lines(BUILDX, { cacheTo: "type=registry,ref=r" })[0]).toContain(
    "--cache-to type=registry,ref=r --build-arg BUILDKIT_INLINE_CACHE=1",
  );
});

test("the classic builder is asked for by name and given only what it knows", () => {
  expect(lines({ kind: "classic" }, { secrets: [], ssh: [], namedContexts: {} })).toEqual([
    "DOCKER_BUILDKIT=0 docker build -f /b/Dockerfile -t one -t two --target t --cache-from c1 --build-arg A=1 --network=host /ws",
  ]);
});

test("podman takes named contexts, and cache sources as repositories", () => {
  expect(lines(PODMAN, { cacheFrom: ["type=registry,ref=reg.test/cache"] })).toEqual([
    "podman build -f /b/Dockerfile -t one -t two --target t --cache-from reg.test/cache --build-arg A=1 --secret id=s --ssh default --network=host --build-context content=/b/content /ws",
  ]);
});

test("a cache that podman cannot keep is refused by name", () => {
  expect(() => lines(PODMAN, { cacheFrom: ["type=local,src=x"] })).toThrow(
    "--cache-from type=local,src=x: Podman keeps build caches in registries only.",
  );
});

test("podman relabels nothing under SELinux when Feature content is mounted", () => {
  expect(lines({ ...PODMAN, selinux: true })[0]).toContain("--security-opt label=disable /ws");
  expect(lines({ ...PODMAN, selinux: true }, { namedContexts: {} })[0]).not.toContain("label=disable");
});

test("podman pushes each name after the build", () => {
  expect(lines(PODMAN, { delivery: { kind: "push" } }).slice(1)).toEqual(["podman push one", "podman push two"]);
});

test("podman writes archives by saving the image it built", () => {
  expect(lines(PODMAN, { delivery: { kind: "export", output: "type=oci,dest=i.tar" } })[1]).toBe(
    "podman save --format oci-archive -o i.tar one",
  );
  expect(lines(PODMAN, { delivery: { kind: "export", output: "type=docker,dest=i.tar" } }).slice(1)).toEqual([
    "rm -f -- i.tar",
    "podman save --format docker-archive -o i.tar one",
  ]);
  expect(lines(PODMAN, { delivery: { kind: "export", output: "type=docker" } }).slice(1)).toEqual([]);
  expect(() => lines(PODMAN, { delivery: { kind: "export", output: "type=oci" } })).toThrow("dest=");
  expect(lines(PODMAN, { delivery: { kind: "export", output: "type=local,dest=d" } })[0]).toContain(
    "--output type=local,dest=d",
  );
});

test("podman builds several platforms into a manifest list of this build, which gets the names wanted", () => {
  const several = { platform: "linux/amd64,linux/arm64", tags: ["r/one", "r/two"] };
  const [build, ...others] = lines(PODMAN, { ...several, delivery: { kind: "push" } });
  expect(build).toContain("--platform linux/amd64,linux/arm64");
  expect(build).toContain("--manifest localhost/cooper/platforms:b --target");
  expect(others).toEqual([
    "podman tag localhost/cooper/platforms:b r/one r/two",
    "podman manifest push --all localhost/cooper/platforms:b docker://r/one",
    "podman manifest push --all localhost/cooper/platforms:b docker://r/two",
  ]);
  expect(lines(PODMAN, { ...several, delivery: { kind: "export", output: "type=oci,dest=i.tar" } }).slice(1)).toEqual([
    "podman manifest push --all localhost/cooper/platforms:b oci-archive:i.tar",
  ]);
  const after = commandsAfterBuild("podman", PODMAN, { ...SPEC, ...several });
  expect(after.map(formatCommand)).toEqual(["podman manifest rm localhost/cooper/platforms:b"]);
  expect(commandsAfterBuild("podman", PODMAN, SPEC)).toEqual([]);
  expect(commandsAfterBuild("docker", BUILDX, { ...SPEC, ...several })).toEqual([]);
});

test("a Dockerfile's own ignore file is named to podman", () => {
  expect(lines(PODMAN, { ignoreFile: "/b/Dockerfile.dockerignore" })[0]).toContain(
    "--ignorefile /b/Dockerfile.dockerignore /ws",
  );
});

test("options that only BuildKit can honour are listed as the user wrote them", () => {
  const none = {
    platform: undefined,
    delivery: { kind: "load" },
    cacheTo: undefined,
    secrets: [],
    ssh: [],
    builder: undefined,
  } as const;
  expect(optionsThatNeedBuildkit(none)).toEqual([]);
  expect(
    optionsThatNeedBuildkit({
      ...none,
      platform: "linux/arm64",
      delivery: { kind: "push" },
      cacheTo: "c",
      secrets: ["s"],
      ssh: ["s"],
      builder: "b",
    }),
  ).toEqual(["--platform", "--push", "--cache-to", "--secret", "--ssh", "--builder"]);
});

test("podman's --file is one path, whatever is in it", () => {
  const odd = lines(PODMAN, { dockerfile: '/a,b/"c"/Dockerfile' })[0] ?? "";
  expect(odd).toContain(`-f '"/a,b/""c""/Dockerfile"' `);
  expect(lines(PODMAN, { dockerfile: "/a b/Dockerfile" })[0]).toContain("-f '/a b/Dockerfile' ");
});
