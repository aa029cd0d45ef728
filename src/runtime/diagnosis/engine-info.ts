import * as v from "valibot";

/** What `docker info` or `podman info` says about the engine, in one vocabulary. */
export interface EngineInfo {
  readonly kind: "docker" | "podman";
  /** Whether the engine itself says that it runs elsewhere: in a virtual machine, or behind a remote client. */
  readonly elsewhere: boolean;
  readonly rootless: boolean;
  /** As a container platform's architecture: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly cgroupVersion: "1" | "2" | undefined;
  /** The OCI runtime's name: `runc`, `crun`. */
  readonly ociRuntime: string;
  readonly storageDriver: string;
  /** Where images are kept, as the engine's machine calls it. */
  readonly storagePath: string | undefined;
  /** Bytes left there, where the engine says so. */
  readonly storageFree: number | undefined;
  readonly selinux: boolean;
  /** Podman alone: how many user ids its containers can have, 1 when there are no subordinate ids. */
  readonly userIds: number | undefined;
  /** Podman alone: the registries that are searched for a name without one. */
  readonly searchRegistries: readonly string[] | undefined;
  /** Podman alone: the version of the builder in it. */
  readonly buildah: string | undefined;
}

const text = v.optional(v.string(), "");

const dockerInfo = v.object({
  ServerVersion: v.pipe(v.string(), v.minLength(1)),
  Driver: text,
  DriverStatus: v.nullish(v.array(v.array(v.string())), []),
  CgroupVersion: text,
  SecurityOptions: v.nullish(v.array(v.string()), []),
  DockerRootDir: text,
  OperatingSystem: text,
  Architecture: text,
  DefaultRuntime: text,
});

const idMap = v.nullish(v.array(v.object({ size: v.number() })), []);

const podmanInfo = v.object({
  host: v.object({
    arch: text,
    buildahVersion: v.optional(v.string()),
    cgroupVersion: text,
    idMappings: v.optional(v.object({ uidmap: idMap })),
    ociRuntime: v.optional(v.object({ name: text }), {}),
    security: v.optional(
      v.object({ rootless: v.optional(v.boolean(), false), selinuxEnabled: v.optional(v.boolean(), false) }),
      {},
    ),
    serviceIsRemote: v.optional(v.boolean(), false),
  }),
  store: v.object({
    graphDriverName: text,
    graphRoot: v.optional(v.string()),
    graphRootAllocated: v.optional(v.number()),
    graphRootUsed: v.optional(v.number()),
  }),
  registries: v.nullish(v.object({ search: v.nullish(v.array(v.string()), []) }), {}),
});

/** Reads what `info --format '{{json .}}'` printed; undefined when it is no answer of an engine that runs. */
export function readEngineInfo(printed: string): EngineInfo | undefined {
  let value: unknown;
  try {
    value = JSON.parse(printed);
  } catch {
    return undefined;
  }
  const docker = v.safeParse(dockerInfo, value);
  if (docker.success) return fromDocker(docker.output);
  const podman = v.safeParse(podmanInfo, value);
  return podman.success ? fromPodman(podman.output) : undefined;
}

function fromDocker(info: v.InferOutput<typeof dockerInfo>): EngineInfo {
  const options = (info.SecurityOptions ?? []).flatMap((option) => option.split(","));
  const snapshotter = (info.DriverStatus ?? []).some(([name, value]) => name === "driver-type" && value !== undefined);
  return {
    kind: "docker",
    elsewhere: info.OperatingSystem.includes("Docker Desktop"),
    rootless: options.includes("name=rootless"),
    architecture: architectureOf(info.Architecture),
    cgroupVersion: cgroupVersionOf(info.CgroupVersion),
    ociRuntime: info.DefaultRuntime,
    storageDriver: snapshotter ? `${info.Driver} (containerd)` : info.Driver,
    storagePath: info.DockerRootDir === "" ? undefined : info.DockerRootDir,
    storageFree: undefined,
    selinux: options.includes("name=selinux"),
    userIds: undefined,
    searchRegistries: undefined,
    buildah: undefined,
  };
}

function fromPodman({ host, store, registries }: v.InferOutput<typeof podmanInfo>): EngineInfo {
  const allocated = store.graphRootAllocated;
  const rootless = host.security.rootless ?? false;
  const userIds = (host.idMappings?.uidmap ?? []).reduce((sum, { size }) => sum + size, 0);
  return {
    kind: "podman",
    elsewhere: host.serviceIsRemote,
    rootless,
    architecture: architectureOf(host.arch),
    cgroupVersion: cgroupVersionOf(host.cgroupVersion),
    ociRuntime: host.ociRuntime.name ?? "",
    storageDriver: store.graphDriverName,
    storagePath: store.graphRoot,
    storageFree: allocated === undefined ? undefined : allocated - (store.graphRootUsed ?? 0),
    selinux: host.security.selinuxEnabled ?? false,
    userIds: rootless && host.idMappings !== undefined ? userIds : undefined,
    searchRegistries: registries?.search ?? [],
    buildah: host.buildahVersion,
  };
}

function cgroupVersionOf(written: string): "1" | "2" | undefined {
  const digit = written.replace(/^v/, "");
  return digit === "1" || digit === "2" ? digit : undefined;
}

function architectureOf(written: string): string {
  if (written === "x86_64") return "amd64";
  return written === "aarch64" ? "arm64" : written;
}
