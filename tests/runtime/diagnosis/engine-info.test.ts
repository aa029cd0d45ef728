import { expect, test } from "bun:test";
import { readEngineInfo } from "../../../src/runtime/diagnosis/engine-info.ts";

const docker = {
  ServerVersion: "26.1.5",
  Driver: "overlay2",
  DriverStatus: [["Backing Filesystem", "extfs"]],
  CgroupVersion: "1",
  SecurityOptions: ["name=seccomp,profile=builtin", "name=rootless", "name=selinux"],
  DockerRootDir: "/var/lib/docker",
  OperatingSystem: "Debian GNU/Linux 12 (bookworm)",
  Architecture: "x86_64",
  DefaultRuntime: "runc",
};
const podman = {
  host: {
    arch: "arm64",
    buildahVersion: "1.28.2",
    cgroupVersion: "v2",
    idMappings: { uidmap: [{ size: 1 }, { size: 65536 }] },
    ociRuntime: { name: "crun" },
    security: { rootless: true, selinuxEnabled: true },
    serviceIsRemote: false,
  },
  store: { graphDriverName: "overlay", graphRoot: "/s", graphRootAllocated: 100, graphRootUsed: 40 },
  registries: {},
};

test("docker's answer is read", () => {
  expect(readEngineInfo(JSON.stringify(docker))).toEqual({
    kind: "docker",
    elsewhere: false,
    rootless: true,
    architecture: "amd64",
    cgroupVersion: "1",
    ociRuntime: "runc",
    storageDriver: "overlay2",
    storagePath: "/var/lib/docker",
    storageFree: undefined,
    selinux: true,
    userIds: undefined,
    searchRegistries: undefined,
    buildah: undefined,
  });
});

test("Docker Desktop runs elsewhere, and containerd's image store is told from docker's", () => {
  const status = [["driver-type", "io.containerd.snapshotter.v1"]];
  const changed = { ...docker, OperatingSystem: "Docker Desktop", Driver: "overlayfs", DriverStatus: status };
  expect(readEngineInfo(JSON.stringify(changed))).toMatchObject({
    elsewhere: true,
    storageDriver: "overlayfs (containerd)",
  });
});

test("Podman's answer is read", () => {
  expect(readEngineInfo(JSON.stringify(podman))).toEqual({
    kind: "podman",
    elsewhere: false,
    rootless: true,
    architecture: "arm64",
    cgroupVersion: "2",
    ociRuntime: "crun",
    storageDriver: "overlay",
    storagePath: "/s",
    storageFree: 60,
    selinux: true,
    userIds: 65537,
    searchRegistries: [],
    buildah: "1.28.2",
  });
});

test("the empty answer of a docker whose daemon is away, and no answer, are none", () => {
  expect(readEngineInfo(JSON.stringify({ ...docker, ServerVersion: "", ServerErrors: ["away"] }))).toBeUndefined();
  expect(readEngineInfo("")).toBeUndefined();
  expect(readEngineInfo("null")).toBeUndefined();
});
