import { containerRemedy } from "../container-kind.ts";
import { judgeSandboxMeans, type SandboxLack } from "../judge-sandbox-means.ts";
import { type Check, enumerate, formatRemedy, type Remedy } from "./check.ts";
import { checkDisk } from "./check-storage.ts";
import { asRoot, installCommand, type Machine } from "./machine.ts";
import type { NativeFacts } from "./native-facts.ts";
import { rangeRemedy } from "./subordinate-ids.ts";

const NEEDS_ENGINE = "up, running agents and Dockerfiles need docker or podman";

/** All that cooper's own engine needs, line by line. */
export function checkNative(facts: NativeFacts, machine: Machine): Check[] {
  if (facts.sandbox.platform !== "linux") return [checkPlatform(facts)];
  const namespaces = checkNamespaces(facts, machine);
  return [
    checkPrograms(facts, machine),
    ...checkIds(facts, machine),
    namespaces,
    ...checkOverlay(facts, machine),
    // What keeps it from working is said once.
    ...(namespaces.status === "problem" ? [] : checkTrial(facts)),
    checkDisk(facts.store.disk, {
      id: "disk-store",
      title: "Disk, store",
      remedy: { text: "Remove images that are not used any more:", commands: ["cooper image prune --until 30d"] },
    }),
  ];
}

/** Whether builds work without docker and podman, in one line; `needed` says that neither of them answers. */
export function summarizeNative(facts: NativeFacts, needed: boolean): Check[] {
  const line = { id: "native", title: "Own engine" };
  if (facts.sandbox.platform !== "linux") return [];
  const lack = firstLack(facts);
  const { trial } = facts;
  if (lack === undefined && trial.kind !== "failed") {
    const tried = trial.kind === "succeeded" ? "works" : "has what it takes, and was not tried";
    return [{ ...line, status: "ok", detail: `${tried}: images are built without docker and podman too` }];
  }
  const detail = `${lack ?? (trial.kind === "failed" ? trial.found : "")}`;
  const remedy = "cooper doctor --backend native says what to do about it.";
  if (needed) return [{ ...line, status: "warning", detail: `does not work here either: ${detail}`, remedy }];
  return [{ ...line, status: "ok", detail: `not needed, and would not work here: ${detail}` }];
}

/** Whether cooper's own engine was seen to work. */
export function nativeWorks({ trial }: NativeFacts): boolean {
  return trial.kind === "succeeded";
}

/** What a machine that has cooper's own engine alone can do and what not. */
export const NATIVE_ALONE = `images are built by cooper's own engine; ${NEEDS_ENGINE}`;

function firstLack(facts: NativeFacts): string | undefined {
  const judged = judgeSandboxMeans(facts.sandbox);
  if (judged.kind === "means") return undefined;
  const [lack] = judged.lacks;
  switch (lack.kind) {
    case "platform":
      return `it needs Linux, and this is ${lack.platform}`;
    case "program":
      return `${lack.program} is not on PATH`;
    case "subordinate ids":
      return `${lack.file} has no ids for ${facts.sandbox.user.name}`;
  }
}

function checkPlatform({ sandbox }: NativeFacts): Check {
  return {
    id: "native-programs",
    title: "Programs",
    status: "problem",
    detail: `cooper's own engine needs Linux, and this is ${sandbox.platform}`,
    remedy: "Build with docker or podman: --backend engine.",
  };
}

function lacksOf({ sandbox }: NativeFacts): readonly SandboxLack[] {
  const judged = judgeSandboxMeans(sandbox);
  return judged.kind === "lacking" ? judged.lacks : [];
}

const UTIL_LINUX = { "apt-get": "util-linux", dnf: "util-linux", zypper: "util-linux", pacman: "util-linux" };
const UIDMAP = { "apt-get": "uidmap", dnf: "shadow-utils", zypper: "shadow", pacman: "shadow", apk: "shadow-uidmap" };

function checkPrograms(facts: NativeFacts, machine: Machine): Check {
  const line = { id: "native-programs", title: "Programs" };
  const absent = lacksOf(facts).flatMap((lack) => (lack.kind === "program" ? [lack.program] : []));
  const { unshare, sandbox } = facts;
  const missing = unshare?.missing ?? [];
  if (absent.length === 0 && missing.length === 0) {
    const version = unshare?.version === undefined ? "" : ` of util-linux ${unshare.version}`;
    const mapping = sandbox.user.id === 0 ? "" : ", newuidmap and newgidmap";
    return { ...line, status: "ok", detail: `unshare${version}${mapping}` };
  }
  const old = missing.length === 0 ? [] : [`unshare has no ${enumerate(missing)}: it is too old, or busybox's`];
  const isAbsent =
    absent.length === 0 ? [] : [`${enumerate(absent)} ${absent.length === 1 ? "is" : "are"} not on PATH`];
  const installs = [
    absent.includes("unshare") || missing.length > 0
      ? installCommand(machine, { ...UTIL_LINUX, apk: "util-linux-misc" })
      : undefined,
    absent.some((program) => program !== "unshare") ? installCommand(machine, UIDMAP) : undefined,
  ];
  return {
    ...line,
    status: "problem",
    detail: [...isAbsent, ...old].join("; "),
    remedy: formatRemedy({
      text: "Install them (unshare comes with util-linux, the others with uidmap or shadow):",
      commands: installs.filter((command) => command !== undefined),
    }),
  };
}

function checkIds(facts: NativeFacts, machine: Machine): Check[] {
  const { sandbox } = facts;
  const line = { id: "native-ids", title: "Ids" };
  if (sandbox.user.id === 0) {
    const how = sandbox.maySetUp ? "they are what they are" : "a user namespace has those of this container";
    return [{ ...line, status: "ok", detail: `root: ${how}` }];
  }
  const files = lacksOf(facts).flatMap((lack) => (lack.kind === "subordinate ids" ? [lack.file] : []));
  if (files.length === 0) {
    return [{ ...line, status: "ok", detail: "/etc/subuid and /etc/subgid have 65536 for this user" }];
  }
  return [
    {
      ...line,
      status: "problem",
      detail: `${enumerate(files)} ${files.length === 1 ? "has" : "have"} no 65536 ids for ${machine.user.name}: an image's users would have none`,
      remedy: formatRemedy(rangeRemedy(sandbox, machine)),
    },
  ];
}

function checkNamespaces(facts: NativeFacts, machine: Machine): Check {
  const { kernel, sandbox, trial, program } = facts;
  const line = { id: "native-namespaces", title: "Namespaces" };
  const isRoot = sandbox.user.id === 0 && sandbox.maySetUp;
  const settings = [
    ...(kernel.mostNamespaces === 0 ? ["user.max_user_namespaces=28633"] : []),
    ...(kernel.unprivileged === false && sandbox.user.id !== 0 ? ["kernel.unprivileged_userns_clone=1"] : []),
  ];
  if (!isRoot && settings.length > 0) {
    const names = settings.map((setting) => `${setting.split("=")[0]}=0`);
    return {
      ...line,
      status: "problem",
      detail: `this kernel lets no ordinary user make user namespaces: ${enumerate(names)}`,
      remedy: formatRemedy({
        text: "Allow them (and write the same into a file in /etc/sysctl.d, to have it after the next start):",
        commands: [asRoot(machine, `sysctl -w ${settings.join(" ")}`)],
      }),
    };
  }
  const failed = trial.kind === "failed" && trial.at === "namespaces" ? trial : undefined;
  if (!isRoot && kernel.apparmorRestricts === true && failed !== undefined) {
    return {
      ...line,
      status: "problem",
      detail: `AppArmor lets only programs with a profile use user namespaces: kernel.apparmor_restrict_unprivileged_userns=1`,
      remedy: formatRemedy(apparmorRemedy(program, machine)),
    };
  }
  if (failed !== undefined && sandbox.container !== undefined) {
    const remedy = failed.hint ?? containerRemedy(sandbox.container);
    return { ...line, status: "problem", detail: failed.found, remedy };
  }
  const inside = sandbox.container === undefined ? "" : `; in a container (${sandbox.container})`;
  return { ...line, status: "ok", detail: `${isRoot ? "root may make them" : "user namespaces are allowed"}${inside}` };
}

function apparmorRemedy(program: string, machine: Machine): Remedy {
  const profile = "/etc/apparmor.d/cooper";
  const text = `abi <abi/4.0>,\\nprofile cooper ${program} flags=(unconfined) {\\n  userns,\\n}\\n`;
  return {
    text: "Give cooper a profile, or allow them to all programs with the last line:",
    commands: [
      `printf '${text}' | ${asRoot(machine, `tee ${profile}`)}`,
      asRoot(machine, `apparmor_parser -r ${profile}`),
      asRoot(machine, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
    ],
  };
}

function checkOverlay({ trial, store, sandbox, kernel }: NativeFacts, machine: Machine): Check[] {
  const line = { id: "native-overlay", title: "Overlay" };
  const where = `${store.disk.path}${store.fileSystem === undefined ? "" : ` (${store.fileSystem})`}`;
  if (trial.kind === "succeeded") {
    const how = trial.overlay === "kernel" ? "the kernel mounts" : "fuse-overlayfs mounts, as the kernel does not,";
    return [{ ...line, status: "ok", detail: `${how} layers at ${where}` }];
  }
  if (trial.kind !== "failed" || trial.at !== "overlay") return [];
  const install = installCommand(machine, {
    "apt-get": "fuse-overlayfs",
    dnf: "fuse-overlayfs",
    zypper: "fuse-overlayfs",
    pacman: "fuse-overlayfs",
    apk: "fuse-overlayfs",
  });
  const device = kernel.fuseDevice ? "" : " This machine has no /dev/fuse, which fuse-overlayfs needs.";
  const elsewhere =
    sandbox.container === undefined
      ? "on another file system"
      : "on a volume of this container, or another file system";
  return [
    {
      ...line,
      status: "problem",
      detail: `layers cannot be mounted at ${where}: ${trial.found}`,
      remedy: formatRemedy({
        text: `Have XDG_DATA_HOME name a folder ${elsewhere}, or install fuse-overlayfs.${device}`,
        commands: sandbox.fuseOverlayfs === undefined && install !== undefined ? [install] : [],
      }),
    },
  ];
}

function checkTrial({ trial }: NativeFacts): Check[] {
  const line = { id: "native-run", title: "Test run" };
  switch (trial.kind) {
    case "not tried":
      return [];
    case "unsupported":
      return [{ ...line, status: "warning", detail: `there is no test program for ${trial.architecture}` }];
    case "succeeded":
      return [{ ...line, status: "ok", detail: "a program ran in a sandbox, and nothing of it is left" }];
    case "failed": {
      if (trial.at === "overlay") return [];
      const remedy = trial.hint === undefined ? {} : { remedy: trial.hint };
      return [{ ...line, status: "problem", detail: trial.found, ...remedy }];
    }
  }
}
