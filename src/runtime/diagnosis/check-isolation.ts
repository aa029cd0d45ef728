import { type Check, formatRemedy } from "./check.ts";
import type { EngineFacts } from "./engine-facts.ts";
import type { EngineInfo } from "./engine-info.ts";
import { asRoot, installCommand, type Machine } from "./machine.ts";
import { hasSubordinateIds, rangeRemedy, SUBORDINATE_IDS } from "./subordinate-ids.ts";

/** What the machine's kernel and user database allow containers; read on the machine that runs cooper. */
export interface IsolationFacts {
  /** Controllers of the cgroup v2 hierarchy that stands beside version 1, empty when there is none. */
  readonly hybridControllers: readonly string[];
  /** /etc/subuid and /etc/subgid as text, null for an absent one. */
  readonly subordinateUsers: string | null;
  readonly subordinateGroups: string | null;
  /** Whether the kernel lets ordinary users make user namespaces. */
  readonly userNamespaces: boolean;
}

/** What containers of this engine may do and how they are kept apart: user namespaces, cgroups, SELinux. */
export function checkIsolation(engine: EngineFacts, facts: IsolationFacts, machine: Machine): Check[] {
  const { info } = engine;
  const here = engine.here && info?.elsewhere !== true;
  return [
    ...checkRootless(engine, { facts, machine, here }),
    ...(info === undefined ? [] : [...checkCgroups(info, { facts, machine, here }), ...checkSelinux(info)]),
  ];
}

interface Surroundings {
  readonly facts: IsolationFacts;
  readonly machine: Machine;
  /** Whether the engine's containers run on this very machine. */
  readonly here: boolean;
}

function checkRootless(engine: EngineFacts, { facts, machine, here }: Surroundings): Check[] {
  const line = { id: "rootless", title: "Rootless" };
  const { info } = engine;
  if (here && engine.kind === "podman" && (info?.rootless ?? machine.user.id !== 0)) {
    const obstacle = findObstacle(info, facts, machine);
    if (obstacle !== undefined) return [{ ...line, ...obstacle }];
  }
  if (info === undefined) return [];
  if (!info.rootless) return [{ ...line, status: "ok", detail: "no, containers run as root" }];
  const ids = info.userIds === undefined ? "" : `, with ${info.userIds} user ids for containers`;
  return [{ ...line, status: "ok", detail: `yes${ids}` }];
}

type Obstacle = Pick<Check, "status" | "detail" | "remedy">;

function findObstacle(info: EngineInfo | undefined, facts: IsolationFacts, machine: Machine): Obstacle | undefined {
  // What Podman has counts for more than what it would have to be made from.
  if ((info?.userIds ?? 0) >= SUBORDINATE_IDS) return undefined;
  if (!facts.userNamespaces) {
    return {
      status: "problem",
      detail: "this kernel lets no ordinary user make user namespaces",
      remedy: formatRemedy({
        text: "Allow them:",
        commands: [asRoot(machine, "sysctl -w user.max_user_namespaces=28633 kernel.unprivileged_userns_clone=1")],
      }),
    };
  }
  if (!machine.programs.has("newuidmap") || !machine.programs.has("newgidmap")) {
    const install = installCommand(machine, {
      "apt-get": "uidmap",
      dnf: "shadow-utils",
      zypper: "shadow",
      pacman: "shadow",
      apk: "shadow-uidmap",
    });
    return {
      status: "problem",
      detail: "newuidmap and newgidmap are not installed: containers get one user id, and most images need more",
      remedy: formatRemedy({
        text: "Install them:",
        commands: install === undefined ? [] : [install, "podman system migrate"],
      }),
    };
  }
  const given = bothGive(facts, machine);
  return given && info?.userIds === undefined ? undefined : lackOfIds(info, { given, facts, machine });
}

function lackOfIds(
  info: EngineInfo | undefined,
  { given, facts, machine }: { given: boolean; facts: IsolationFacts; machine: Machine },
): Obstacle {
  const user = machine.user.name;
  const found = info?.userIds === undefined ? "none" : `${info.userIds}`;
  return {
    status: "problem",
    detail: `containers of ${user} need ${SUBORDINATE_IDS} user ids, and have ${found}: most images cannot be unpacked`,
    remedy: formatRemedy({
      text: given ? "/etc/subuid has them; have Podman look again:" : rangeRemedy(facts, machine).text,
      commands: [...(given ? [] : rangeRemedy(facts, machine).commands), "podman system migrate"],
    }),
  };
}

function bothGive(facts: IsolationFacts, { user }: Machine): boolean {
  return [facts.subordinateUsers, facts.subordinateGroups].every((text) => hasSubordinateIds(text, user));
}

function checkCgroups(info: EngineInfo, { facts, machine, here }: Surroundings): Check[] {
  const line = { id: "cgroups", title: "Cgroups" };
  if (info.cgroupVersion === undefined) return [];
  const hybrid = here && info.cgroupVersion === "1" && facts.hybridControllers.length > 0;
  const detail = `version ${info.cgroupVersion}${hybrid ? " beside version 2" : ""}${info.ociRuntime === "" ? "" : `, runtime ${info.ociRuntime}`}`;
  const unified = "boot with systemd.unified_cgroup_hierarchy=1";
  if (hybrid && /(^|\/)crun/.test(info.ociRuntime)) {
    const install = machine.programs.has("runc")
      ? undefined
      : installCommand(machine, { "apt-get": "runc", dnf: "runc", zypper: "runc", pacman: "runc", apk: "runc" });
    const file = info.rootless ? "~/.config/containers/containers.conf" : "/etc/containers/containers.conf";
    return [
      {
        ...line,
        status: "problem",
        detail: `${detail}: crun starts no container where version 2 has controllers of its own (${facts.hybridControllers.join(", ")})`,
        remedy: formatRemedy({
          text: `Write runtime = "runc" under [engine] in ${file}, or ${unified}.`,
          commands: install === undefined ? [] : [install],
        }),
      },
    ];
  }
  if (info.cgroupVersion === "1" && info.rootless) {
    return [
      {
        ...line,
        status: "warning",
        detail: `${detail}: limits on memory, CPU and processes do not hold for rootless containers`,
        remedy: `For limits, ${unified}.`,
      },
    ];
  }
  return [{ ...line, status: "ok", detail }];
}

function checkSelinux(info: EngineInfo): Check[] {
  if (!info.selinux) return [];
  const builds = info.kind === "podman" ? "; builds that bring Features run without labels" : "";
  return [{ id: "selinux", status: "ok", title: "SELinux", detail: `on${builds}` }];
}
