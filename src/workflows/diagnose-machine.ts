import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IsolationFacts } from "../runtime/diagnosis/check-isolation.ts";
import { KNOWN_APPLICATIONS, KNOWN_PROGRAMS, type Machine, type ServiceManager } from "../runtime/diagnosis/machine.ts";
import type { Tools } from "./tools.ts";

// Debian keeps these from the PATH of ordinary users, whose root finds them.
const ROOTS_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** What this machine has to mend an engine with. */
export async function inspectMachine(tools: Tools): Promise<Machine> {
  const path = [tools.environment["PATH"] ?? "", ...ROOTS_DIRECTORIES].join(":");
  const programs = new Set(KNOWN_PROGRAMS.filter((name) => Bun.which(name, { PATH: path }) !== null));
  const id = process.getuid?.() ?? 0;
  const [kernel, serviceManager, applications, name] = await Promise.all([
    readText("/proc/version"),
    findServiceManager(tools),
    process.platform === "darwin" ? filterPresent(KNOWN_APPLICATIONS) : [],
    findUserName(id, tools),
  ]);
  return {
    platform: process.platform,
    architecture: process.arch,
    wsl: /microsoft/i.test(kernel ?? ""),
    serviceManager,
    user: { name, id },
    programs,
    applications: new Set(applications),
  };
}

/** By the user database, as USER may be somebody else's; USER serves where users come from the network. */
async function findUserName(id: number, { environment }: Tools): Promise<string> {
  const users = (await readText("/etc/passwd")) ?? "";
  const entry = users.split("\n").find((line) => line.split(":")[2] === String(id));
  return entry?.split(":")[0] ?? (environment["USER"] || String(id));
}

async function findServiceManager({ homeDirectory }: Tools): Promise<ServiceManager> {
  const [systemd, userUnit, openrc, script] = await Promise.all([
    exists("/run/systemd/system"),
    exists(join(homeDirectory, ".config", "systemd", "user", "docker.service")),
    exists("/run/openrc"),
    exists("/etc/init.d/docker"),
  ]);
  if (systemd) return userUnit ? "systemd-user" : "systemd";
  if (openrc) return "openrc";
  return script ? "sysv" : "none";
}

async function filterPresent(applications: readonly string[]): Promise<string[]> {
  const present = await Promise.all(applications.map((name) => exists(`/Applications/${name}.app`)));
  return applications.filter((_name, index) => present[index]);
}

/** What the kernel and the user database of this machine allow containers. */
export async function inspectIsolation(): Promise<IsolationFacts> {
  const [mounts, subordinateUsers, subordinateGroups, most, unprivileged] = await Promise.all([
    readText("/proc/self/mountinfo"),
    readText("/etc/subuid"),
    readText("/etc/subgid"),
    readText("/proc/sys/user/max_user_namespaces"),
    readText("/proc/sys/kernel/unprivileged_userns_clone"),
  ]);
  return {
    hybridControllers: await findHybridControllers(mounts ?? ""),
    subordinateUsers,
    subordinateGroups,
    userNamespaces: most?.trim() !== "0" && unprivileged?.trim() !== "0",
  };
}

async function findHybridControllers(mounts: string): Promise<string[]> {
  // proc(5): mount point in the fifth field, file system type right after the lone hyphen.
  const cgroups = mounts.split("\n").flatMap((line) => {
    const match = /^\S+ \S+ \S+ \S+ (\S+) .* - (cgroup2?) /.exec(line);
    return match === null ? [] : [{ path: match[1] ?? "", type: match[2] }];
  });
  const unified = cgroups.find(({ type }) => type === "cgroup2");
  if (unified === undefined || !cgroups.some(({ type }) => type === "cgroup")) return [];
  const controllers = await readText(join(unified.path, "cgroup.controllers"));
  return (controllers ?? "").split(/\s+/).filter((name) => name !== "");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readText(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}
