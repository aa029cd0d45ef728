import { type Check, formatRemedy } from "./check.ts";
import type { EngineFacts } from "./engine-facts.ts";
import { asRoot, installCommand, type Machine } from "./machine.ts";

/** Space left where something is kept; `free` is in bytes, undefined when it could not be told. */
export interface DiskFacts {
  readonly path: string;
  readonly free: number | undefined;
}

const GIGABYTE = 1e9;

/** How the engine keeps images, and whether Podman finds images by names that lack a registry. */
export function checkImageStore({ info }: EngineFacts, machine: Machine): Check[] {
  if (info === undefined) return [];
  const storage = { id: "storage", title: "Image store" };
  const checks: Check[] = [];
  if (info.storageDriver === "vfs") {
    const remedy = info.kind === "podman" ? podmanOverlay(info.rootless, machine) : DOCKER_OVERLAY;
    const detail = "vfs, which copies every layer in full: builds are slow and images large";
    checks.push({ ...storage, status: "warning", detail, remedy });
  } else if (info.storageDriver !== "") {
    checks.push({ ...storage, status: "ok", detail: info.storageDriver });
  }
  if (info.searchRegistries !== undefined)
    checks.push(checkShortNames(info.searchRegistries, { rootless: info.rootless, machine }));
  return checks;
}

const DOCKER_OVERLAY =
  'Keep docker\'s data on ext4 or xfs (in a container: on a volume), and write "storage-driver": "overlay2" in its daemon.json.';

function podmanOverlay(rootless: boolean, machine: Machine): string {
  const install = machine.programs.has("fuse-overlayfs")
    ? undefined
    : installCommand(machine, {
        "apt-get": "fuse-overlayfs",
        dnf: "fuse-overlayfs",
        zypper: "fuse-overlayfs",
        pacman: "fuse-overlayfs",
        apk: "fuse-overlayfs",
      });
  const file = rootless ? "~/.config/containers/storage.conf" : "/etc/containers/storage.conf";
  return formatRemedy({
    text: `Write driver = "overlay" under [storage] in ${file}; what is stored now has to go, and is dropped by podman system reset.`,
    commands: [
      ...(install === undefined ? [] : [install]),
      rootless ? "podman system reset" : asRoot(machine, "podman system reset"),
    ],
  });
}

function checkShortNames(
  registries: readonly string[],
  { rootless, machine }: { rootless: boolean; machine: Machine },
): Check {
  const line = { id: "short-names", title: "Short names" };
  if (registries.length > 0) return { ...line, status: "ok", detail: `looked for at ${registries.join(", ")}` };
  return {
    ...line,
    status: "warning",
    detail: "names without a registry, as Dockerfiles have them, are found only if they are well known, like debian",
    remedy: formatRemedy({
      text: "Write names in full (docker.io/acme/tool), or have Podman look at Docker Hub:",
      commands: searchDockerHub(rootless, machine),
    }),
  };
}

function searchDockerHub(rootless: boolean, machine: Machine): string[] {
  const setting = "echo 'unqualified-search-registries = [\"docker.io\"]'";
  const directory = rootless ? "~/.config/containers/registries.conf.d" : "/etc/containers/registries.conf.d";
  if (rootless) return [`mkdir -p ${directory}`, `${setting} > ${directory}/unqualified.conf`];
  return [`${setting} | ${asRoot(machine, `tee ${directory}/unqualified.conf`)}`];
}

/** Whether there is room for images where the engine keeps them, and for downloads where cooper does. */
export function checkDisks(
  engine: { readonly path: string; readonly disk: DiskFacts } | undefined,
  cache: DiskFacts,
): Check[] {
  const images =
    engine === undefined
      ? []
      : [
          checkDisk(engine.disk, {
            id: "disk-images",
            title: "Disk, images",
            remedy: {
              text: "Free some, after a look at what takes it:",
              commands: [`${engine.path} system df`, `${engine.path} system prune`],
            },
          }),
        ];
  return [
    ...images,
    checkDisk(cache, {
      id: "disk-cache",
      title: "Disk, cache",
      remedy: {
        text: `Free some, or keep the cache elsewhere with XDG_CACHE_HOME. What is in ${cache.path} can go at any time.`,
        commands: [],
      },
    }),
  ];
}

/** Whether there is room on a disk. */
export function checkDisk(
  { path, free }: DiskFacts,
  { remedy, ...line }: Pick<Check, "id" | "title"> & { remedy: Parameters<typeof formatRemedy>[0] },
): Check {
  if (free === undefined) return { ...line, status: "ok", detail: `not known for ${path}` };
  const detail = `${formatBytes(free)} free at ${path}`;
  if (free >= 5 * GIGABYTE) return { ...line, status: "ok", detail };
  return { ...line, status: free < GIGABYTE ? "problem" : "warning", detail, remedy: formatRemedy(remedy) };
}

function formatBytes(bytes: number): string {
  if (bytes >= 10 * GIGABYTE) return `${Math.floor(bytes / GIGABYTE)} GB`;
  return bytes >= GIGABYTE ? `${(Math.floor(bytes / 1e8) / 10).toFixed(1)} GB` : `${Math.floor(bytes / 1e6)} MB`;
}
