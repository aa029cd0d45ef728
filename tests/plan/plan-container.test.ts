import { expect, test } from "bun:test";
import { mergeMetadata } from "../../src/devcontainer/merge.ts";
import type { MetadataEntry } from "../../src/devcontainer/metadata-label.ts";
import {
  type ContainerHost,
  type ContainerPlanInput,
  mountValue,
  planContainer,
} from "../../src/plan/plan-container.ts";

function planOf(entries: readonly MetadataEntry[], changes: Partial<ContainerPlanInput> = {}) {
  return planContainer({
    image: { reference: "debian:12", user: "", entrypoint: [], command: ["bash"] },
    config: {},
    merged: mergeMetadata(entries),
    workspace: { workspaceMount: "type=bind,source=/p,target=/workspaces/p", additionalMount: undefined },
    idLabels: { "devcontainer.local_folder": "/p" },
    mounts: [],
    gpus: false,
    metadata: undefined,
    host: { kind: "docker" },
    ...changes,
  });
}

test("a container of nothing but an image has its workspace and its labels", () => {
  expect(planOf([])).toEqual({
    image: "debian:12",
    publish: [],
    mounts: ["type=bind,source=/p,target=/workspaces/p"],
    externalVolumes: [],
    labels: [["devcontainer.local_folder", "/p"]],
    env: {},
    user: undefined,
    engineArgs: [],
    runArgs: [],
    gpus: false,
    init: false,
    privileged: false,
    capAdd: [],
    securityOpt: [],
    entrypoints: [],
    command: [],
    metadataLabel: undefined,
  });
});

test("what Features, images and the configuration ask for takes effect, merged", () => {
  const spec = planOf([
    { id: "./docker", privileged: true, entrypoint: "/usr/local/share/docker-init.sh", capAdd: ["NET_ADMIN"] },
    {
      id: "./desktop",
      init: true,
      entrypoint: "/usr/local/share/desktop-init.sh",
      securityOpt: ["seccomp=unconfined"],
    },
    { containerEnv: { A: "1" }, containerUser: "dev", capAdd: ["NET_ADMIN", "SYS_PTRACE"] },
  ]);
  expect(spec).toMatchObject({
    env: { A: "1" },
    user: "dev",
    init: true,
    privileged: true,
    capAdd: ["NET_ADMIN", "SYS_PTRACE"],
    securityOpt: ["seccomp=unconfined"],
    entrypoints: ["/usr/local/share/docker-init.sh", "/usr/local/share/desktop-init.sh"],
  });
});

test("a port that is a number is published on the host's loopback alone, text as it is", () => {
  const publish = (appPort: ContainerPlanInput["config"]["appPort"] & {}) =>
    planOf([], { config: { appPort } }).publish;
  expect(publish(3000)).toEqual(["127.0.0.1:3000:3000"]);
  expect(publish("3000")).toEqual(["3000"]);
  expect(publish([3000, "8080:80", "0.0.0.0:53:53/udp"])).toEqual([
    "127.0.0.1:3000:3000",
    "8080:80",
    "0.0.0.0:53:53/udp",
  ]);
});

test("mounts come in the order workspace, worktree, metadata, command line", () => {
  const spec = planOf([{ mounts: ["type=volume,source=a,target=/a", { type: "volume", source: "b", target: "/b" }] }], {
    workspace: { workspaceMount: "workspace", additionalMount: "worktree" },
    mounts: [{ type: "volume", source: "c", target: "/c", external: true }],
  });
  expect(spec.mounts).toEqual([
    "workspace",
    "worktree",
    "type=volume,source=a,target=/a",
    "type=volume,src=b,dst=/b",
    "type=volume,src=c,dst=/c",
  ]);
  expect(spec.externalVolumes).toEqual(["c"]);
});

test("an empty workspaceMount mounts nothing", () => {
  expect(planOf([], { workspace: { workspaceMount: "", additionalMount: undefined } }).mounts).toEqual([]);
});

test("a mount without a source has none in its value", () => {
  expect(mountValue({ type: "tmpfs", target: "/t" })).toBe("type=tmpfs,dst=/t");
});

test("the image's own command runs only where overrideCommand is exactly false", () => {
  const image = { reference: "x", user: "", entrypoint: ["/init", "--"], command: ["serve"] };
  expect(planOf([{ overrideCommand: false }], { image }).command).toEqual(["/init", "--", "serve"]);
  expect(planOf([{ overrideCommand: true }], { image }).command).toEqual([]);
  expect(planOf([], { image }).command).toEqual([]);
});

test("metadata that no image carries is put on the container, also when there is none", () => {
  expect(planOf([], { metadata: [{ remoteUser: "${localEnv:USER}" }] }).metadataLabel).toBe(
    '[{"remoteUser":"${localEnv:USER}"}]',
  );
  expect(planOf([], { metadata: [] }).metadataLabel).toBe("[]");
  expect(planOf([], { metadata: undefined }).metadataLabel).toBeUndefined();
});

const rootless: ContainerHost = { kind: "podman", linux: true, rootless: true };
const image = { reference: "x", user: "vscode", entrypoint: [], command: [] };

test("rootless Podman keeps the ids of a user that is not root, and the image's user for the container", () => {
  expect(planOf([], { host: rootless, image })).toMatchObject({
    engineArgs: ["--security-opt", "label=disable", "--userns=keep-id"],
    user: "vscode",
  });
  expect(planOf([{ remoteUser: "dev" }], { host: rootless })).toMatchObject({
    engineArgs: ["--security-opt", "label=disable", "--userns=keep-id"],
    user: "root",
  });
  expect(planOf([{ containerUser: "dev" }], { host: rootless }).user).toBe("dev");
});

for (const [what, entries, changes] of [
  ["root works in it", [{ remoteUser: "root" }], { image }],
  ["user 0 works in it", [{ remoteUser: "0" }], { image }],
  ["the image's user is root", [], {}],
  ["runArgs map users", [], { image, config: { runArgs: ["--uidmap", "0:1:1"] } }],
  ["runArgs map groups", [], { image, config: { runArgs: ["--gidmap=0:1:1"] } }],
  ["runArgs choose a namespace", [], { image, config: { runArgs: ["--userns=host"] } }],
  ["runArgs say root", [], { image, config: { runArgs: ["--user=0:0"] } }],
] as const) {
  test(`Podman keeps no ids when ${what}`, () => {
    const { config, ...others } = { config: {}, ...changes };
    const runArgs = "runArgs" in config ? { runArgs: [...config.runArgs] } : {};
    const spec = planOf(entries, { host: rootless, ...others, config: runArgs });
    expect(spec.engineArgs).toEqual(["--security-opt", "label=disable"]);
    expect(spec.user).toBeUndefined();
  });
}

test("Podman with root as its caller has no ids to keep, and a machine's Podman needs none of it", () => {
  expect(planOf([], { image, host: { ...rootless, rootless: false } }).engineArgs).toEqual([
    "--security-opt",
    "label=disable",
  ]);
  expect(planOf([], { image, host: { ...rootless, linux: false } }).engineArgs).toEqual([]);
});
