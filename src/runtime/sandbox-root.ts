import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { posix } from "node:path";
import { KernelRefusal, MOUNT_FLAGS, type NamespaceCalls } from "../host/namespace-calls.ts";
import type { SandboxRequest } from "./sandbox-request.ts";

const DEVICES = ["full", "null", "random", "tty", "urandom", "zero"];
const DEVICE_LINKS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
};
/** What of /proc speaks of the whole machine: to be read only, or not at all. */
const READ_ONLY = ["bus", "fs", "irq", "sys", "sysrq-trigger"];
const HIDDEN = ["acpi", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list", "timer_stats"];
/** What a step takes its machine to be called. */
export const HOST_NAME = "cooper";
const RESOLVER_FILES = ["/etc/resolv.conf", "/etc/hosts"];
const MAXIMUM_SYMLINKS = 40;

const { bind, noDevices, noExecution, noSetuid, readOnly, recursive, remount } = MOUNT_FLAGS;
const inert = noDevices | noExecution | noSetuid;

/**
 * Mounts what a step sees besides its layers into `root`: /proc, six devices, the host's resolver files as copies, binds and secrets.
 * Gives the paths that had to be made for it, relative to the root, parents first. A symlink of the image leads nowhere but into the image.
 */
export function prepareSandboxRoot(root: string, request: SandboxRequest, calls: NamespaceCalls): readonly string[] {
  const made: string[] = [];
  const place = (path: string, kind: "file" | "directory") => `${root}/${mountPoint(root, { path, kind, made })}`;
  mountProcesses(place("/proc", "directory"), calls);
  const devices = place("/dev", "directory");
  mountDevices(devices, calls);
  mountMemory(place("/dev/shm", "directory"), { mode: "1777", size: "64m" }, calls);
  // The host's own may be links to what is not in the image; copies may be written to, and are gone afterwards.
  const copies = "copies";
  mkdirSync(copies, { recursive: true });
  mountMemory(copies, { mode: "755", size: "4m" }, calls);
  for (const path of RESOLVER_FILES) {
    const copy = `${copies}/${posix.basename(path)}`;
    writeFileSync(copy, existsSync(path) ? readFileSync(path) : "");
    // Programs look up their own machine.
    if (path === "/etc/hosts") appendFileSync(copy, `\n127.0.0.1\t${HOST_NAME}\n`);
    chmodSync(copy, 0o644);
    calls.mount({ source: copy, target: place(path, "file"), flags: bind });
  }
  if (request.secrets.length > 0) mountSecrets(place("/run/secrets", "directory"), request, calls);
  const kept = request.kept.map((path, index) => ({ path, aside: setAside(place(path, "directory"), index, calls) }));
  for (const { source, target, readOnly: isReadOnly } of request.binds) {
    const where = place(target, statSync(source).isDirectory() ? "directory" : "file");
    calls.mount({ source, target: where, flags: bind | recursive });
    if (isReadOnly) remountReadOnly(where, calls);
  }
  for (const { path, aside } of kept) {
    calls.mount({ source: aside, target: place(path, "directory"), flags: bind | recursive });
  }
  // The step's working directory is part of the image: it stays.
  mountPoint(root, { path: request.cwd, kind: "directory", made: [] });
  return made.filter((path) => !path.startsWith("dev/"));
}

/** Gives a folder another place, where it is seen whatever is mounted on it. */
function setAside(folder: string, index: number, calls: NamespaceCalls): string {
  const aside = `kept-${index}`;
  mkdirSync(aside, { recursive: true });
  calls.mount({ source: folder, target: aside, flags: bind | recursive });
  return aside;
}

function mountProcesses(target: string, calls: NamespaceCalls): void {
  calls.mount({ source: "proc", target, type: "proc", flags: inert });
  for (const name of READ_ONLY) {
    const path = `${target}/${name}`;
    if (!existsSync(path)) continue;
    calls.mount({ source: path, target: path, flags: bind | recursive });
    remountReadOnly(path, calls);
  }
  for (const name of HIDDEN) {
    const path = `${target}/${name}`;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (stats.isDirectory()) mountMemory(path, { mode: "755", size: "4k" }, calls);
    else calls.mount({ source: "/dev/null", target: path, flags: bind });
  }
}

function mountDevices(target: string, calls: NamespaceCalls): void {
  calls.mount({ source: "dev", target, type: "tmpfs", flags: noSetuid | noExecution, data: "mode=755,size=64k" });
  for (const name of DEVICES) {
    writeFileSync(`${target}/${name}`, "");
    calls.mount({ source: `/dev/${name}`, target: `${target}/${name}`, flags: bind });
  }
  for (const [name, leadsTo] of Object.entries(DEVICE_LINKS)) symlinkSync(leadsTo, `${target}/${name}`);
}

function mountMemory(target: string, { mode, size }: { mode: string; size: string }, calls: NamespaceCalls): void {
  calls.mount({ source: "tmpfs", target, type: "tmpfs", flags: inert, data: `mode=${mode},size=${size}` });
}

function mountSecrets(target: string, { secrets, user }: SandboxRequest, calls: NamespaceCalls): void {
  mountMemory(target, { mode: "755", size: "16m" }, calls);
  for (const { name, source } of secrets) {
    const path = `${target}/${name}`;
    writeFileSync(path, source.kind === "file" ? readFileSync(source.path) : (process.env[source.name] ?? ""), {
      mode: 0o400,
    });
    if (user.uid !== 0) chmodSync(path, 0o444);
  }
  remountReadOnly(target, calls);
}

/** A user namespace may not take away flags that a mount of the host has: those that it can have are kept. */
function remountReadOnly(target: string, calls: NamespaceCalls): void {
  const attempts = [inert, noDevices | noSetuid, noSetuid, 0];
  for (const [index, kept] of attempts.entries()) {
    try {
      calls.mount({ source: "none", target, flags: remount | bind | readOnly | kept });
      return;
    } catch (error) {
      if (!(error instanceof KernelRefusal) || index === attempts.length - 1) throw error;
    }
  }
}

interface MountPointQuestion {
  readonly path: string;
  readonly kind: "file" | "directory";
  /** Gets what had to be made. */
  readonly made: string[];
}

/**
 * A path of the image with its symlinks followed inside the image, as a path relative to `root`; what is not there is made. Nothing
 * else runs in there yet, so that what was looked at stays what it is.
 */
function mountPoint(root: string, { path, kind, made }: MountPointQuestion): string {
  const waiting = path.split("/");
  const names: string[] = [];
  let links = 0;
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      names.pop();
      continue;
    }
    const here = [...names, name].join("/");
    const isLast = waiting.every((rest) => rest === "" || rest === ".");
    const stats = lstatSync(`${root}/${here}`, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true) {
      links += 1;
      if (links > MAXIMUM_SYMLINKS) throw new KernelRefusal(`looking up ${path} in the image`, "ELOOP");
      const target = readlinkSync(`${root}/${here}`);
      if (target.startsWith("/")) names.length = 0;
      waiting.unshift(...target.split("/"));
      continue;
    }
    if (stats === undefined) {
      if (isLast && kind === "file") writeFileSync(`${root}/${here}`, "", { flag: "wx", mode: 0o644 });
      else mkdirSync(`${root}/${here}`, 0o755);
      made.push(here);
    } else if (stats.isDirectory() !== (!isLast || kind === "directory")) {
      throw new KernelRefusal(`making ${path} in the image`, stats.isDirectory() ? "EISDIR" : "ENOTDIR");
    }
    names.push(name);
  }
  return names.join("/");
}
