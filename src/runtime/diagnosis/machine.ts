import type { Remedy } from "./check.ts";

/** What starts services on a machine that has the engine's daemon. */
export type ServiceManager = "systemd" | "systemd-user" | "openrc" | "sysv" | "none";

/** What a machine has to mend an engine with. */
export interface Machine {
  /** As Node names it: `linux`, `darwin`, `win32`. */
  readonly platform: string;
  readonly architecture: string;
  /** Linux inside Windows. */
  readonly wsl: boolean;
  readonly serviceManager: ServiceManager;
  readonly user: { readonly name: string; readonly id: number };
  /** Those of `KNOWN_PROGRAMS` that are installed. */
  readonly programs: ReadonlySet<string>;
  /** Those of `KNOWN_APPLICATIONS` that a Mac has. */
  readonly applications: ReadonlySet<string>;
}

const PACKAGE_MANAGERS = {
  "apt-get": "apt-get install",
  dnf: "dnf install",
  zypper: "zypper install",
  pacman: "pacman -S",
  apk: "apk add",
  brew: "brew install",
} as const;
type PackageManager = keyof typeof PACKAGE_MANAGERS;
const MANAGER_NAMES: readonly PackageManager[] = ["apt-get", "dnf", "zypper", "pacman", "apk", "brew"];

/** The programs whose presence decides a remedy. */
export const KNOWN_PROGRAMS: readonly string[] = [
  ...MANAGER_NAMES,
  ...["docker", "podman", "dockerd", "colima", "sudo", "doas", "usermod", "addgroup"],
  ...["systemctl", "rc-service", "service", "newuidmap", "newgidmap", "fuse-overlayfs", "runc", "crun"],
];

/** The engines that are applications of a Mac, best known first. */
export const KNOWN_APPLICATIONS: readonly string[] = ["Docker", "OrbStack", "Rancher Desktop", "Podman Desktop"];

/** The command that installs a package under the name that this machine's package manager has for it, if it has one. */
export function installCommand(
  machine: Machine,
  names: Readonly<Partial<Record<PackageManager, string>>>,
): string | undefined {
  const manager = MANAGER_NAMES.find((name) => machine.programs.has(name) && names[name] !== undefined);
  if (manager === undefined) return undefined;
  const command = `${PACKAGE_MANAGERS[manager]} ${names[manager]}`;
  return manager === "brew" ? command : asRoot(machine, command);
}

/** The command, run as root by whatever means the machine has. */
export function asRoot(machine: Machine, command: string): string {
  if (machine.user.id === 0) return command;
  const means = ["sudo", "doas"].find((program) => machine.programs.has(program));
  return means === undefined ? `su -c "${command}"` : `${means} ${command}`;
}

/** How podman gets onto this machine. */
export function installPodman(machine: Machine): readonly string[] {
  const install = installCommand(machine, everywhere("podman"));
  const vm = machine.platform === "linux" ? [] : ["podman machine init --now"];
  return install === undefined ? [] : [install, ...vm];
}

/** How docker's daemon, which is installed or not, is started here. */
export function startDocker(machine: Machine): Remedy {
  if (machine.platform === "darwin") return startOnMac(machine);
  if (machine.platform === "win32") return { text: "Start Docker Desktop.", commands: [] };
  if (!machine.programs.has("dockerd")) return machine.wsl ? WSL_REMEDY : CLIENT_ONLY_REMEDY;
  return { text: "Start it:", commands: [serviceCommand(machine)] };
}

const WSL_REMEDY: Remedy = {
  text: "Start Docker Desktop on Windows, with WSL integration switched on for this distribution.",
  commands: [],
};

const CLIENT_ONLY_REMEDY: Remedy = {
  text: "Only docker's client is here: install the engine (https://docs.docker.com/engine/install), or say with DOCKER_HOST where it runs.",
  commands: [],
};

function serviceCommand(machine: Machine): string {
  switch (machine.serviceManager) {
    case "systemd":
      return asRoot(machine, "systemctl enable --now docker");
    case "systemd-user":
      return "systemctl --user enable --now docker";
    case "openrc":
      return asRoot(machine, "rc-service docker start");
    case "sysv":
      return asRoot(machine, "service docker start");
    case "none":
      return asRoot(machine, "dockerd");
  }
}

function startOnMac(machine: Machine): Remedy {
  if (machine.programs.has("colima")) return { text: "Start it:", commands: ["colima start"] };
  const application = KNOWN_APPLICATIONS.find((name) => machine.applications.has(name));
  if (application === undefined) {
    const colima = installCommand(machine, { brew: "colima" });
    return {
      text: "Install something that runs it, such as Docker Desktop, OrbStack or Colima:",
      commands: colima === undefined ? [] : [colima, "colima start"],
    };
  }
  return {
    text: "Start it:",
    commands: [`open -a ${application.includes(" ") ? `"${application}"` : application}`],
  };
}

function everywhere(name: string): Record<PackageManager, string> {
  return { "apt-get": name, dnf: name, zypper: name, pacman: name, apk: name, brew: name };
}
