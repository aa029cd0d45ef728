import type { Facts } from "../../../src/runtime/diagnosis/diagnosis.ts";
import type { EngineFacts } from "../../../src/runtime/diagnosis/engine-facts.ts";
import type { EngineInfo } from "../../../src/runtime/diagnosis/engine-info.ts";
import type { Machine } from "../../../src/runtime/diagnosis/machine.ts";

/** A Debian machine with sudo and systemd, and whatever else a test installs. */
export function machineWith(programs: readonly string[] = [], changes: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    architecture: "x64",
    wsl: false,
    serviceManager: "systemd",
    user: { name: "ada", id: 1000 },
    programs: new Set(["apt-get", "sudo", "usermod", "newuidmap", "newgidmap", ...programs]),
    applications: new Set(),
    ...changes,
  };
}

export function dockerInfo(changes: Partial<EngineInfo> = {}): EngineInfo {
  return {
    kind: "docker",
    elsewhere: false,
    rootless: false,
    architecture: "amd64",
    cgroupVersion: "2",
    ociRuntime: "runc",
    storageDriver: "overlay2",
    storagePath: "/var/lib/docker",
    storageFree: undefined,
    selinux: false,
    userIds: undefined,
    searchRegistries: undefined,
    buildah: undefined,
    ...changes,
  };
}

/** What a rootless Podman says of itself. */
export function podmanInfo(changes: Partial<EngineInfo> = {}): EngineInfo {
  return {
    ...dockerInfo(),
    kind: "podman",
    rootless: true,
    ociRuntime: "crun",
    storageDriver: "overlay",
    storagePath: "/home/ada/.local/share/containers/storage",
    storageFree: 50e9,
    userIds: 65537,
    searchRegistries: ["docker.io"],
    buildah: "1.28.2",
    ...changes,
  };
}

export function docker(changes: Partial<EngineFacts> = {}): EngineFacts {
  return {
    path: "docker",
    kind: "docker",
    clientVersion: "28.0.1",
    serverVersion: "28.0.1",
    state: { kind: "answers" },
    info: dockerInfo(),
    here: true,
    endpoint: undefined,
    virtualMachines: undefined,
    ...changes,
  };
}

export function podman(changes: Partial<EngineFacts> = {}): EngineFacts {
  return {
    ...docker(),
    path: "podman",
    kind: "podman",
    clientVersion: "5.4.0",
    serverVersion: undefined,
    info: podmanInfo(),
    ...changes,
  };
}

/** A docker that cannot be reached, for the reason that `state` gives. */
export function unreachableDocker(state: EngineFacts["state"], changes: Partial<EngineFacts> = {}): EngineFacts {
  return docker({ state, serverVersion: undefined, info: undefined, ...changes });
}

/** A machine on which everything is in order. */
export function healthyFacts(changes: Partial<Facts> = {}): Facts {
  return {
    machine: machineWith(["docker"]),
    cooper: {
      version: "1.2.3",
      directories: [{ variable: "XDG_CACHE_HOME", path: "/home/ada/.cache/cooper", exists: false, writable: true }],
    },
    engines: { from: "PATH", configurationError: undefined, candidates: [docker()], others: [] },
    builder: {
      builder: { kind: "buildx", namedContexts: true },
      buildx: "0.21.0",
      named: undefined,
      current: { kind: "found", name: "default", driver: "docker", status: "running" },
    },
    isolation: { hybridControllers: [], subordinateUsers: null, subordinateGroups: null, userNamespaces: true },
    credentials: {
      files: [{ path: "/home/ada/.docker/config.json", state: { kind: "absent" } }],
      missingPrograms: new Set(),
      environment: { ociAuth: [], malformedOciAuth: [], githubToken: false },
      promisedFile: undefined,
    },
    network: { proxies: [], noProxy: undefined, certificates: [] },
    imageDisk: { path: "/var/lib/docker", free: 81_500_000_000 },
    cacheDisk: { path: "/home/ada/.cache/cooper", free: 81_500_000_000 },
    testRun: undefined,
    native: undefined,
    ...changes,
  };
}
