import { formatCommand } from "../../plan/command.ts";
import { type Check, enumerate, formatRemedy } from "./check.ts";
import { asRoot, type Machine } from "./machine.ts";

/** The program itself, and where it keeps things. */
export interface CooperFacts {
  readonly version: string;
  readonly directories: readonly DirectoryFacts[];
}

/** One of cooper's own directories; `exists` or not, it is writable when it could be written to, or made. */
export interface DirectoryFacts {
  readonly variable: "XDG_CACHE_HOME" | "XDG_STATE_HOME" | "XDG_CONFIG_HOME";
  readonly path: string;
  readonly exists: boolean;
  readonly writable: boolean;
}

/** The version, and whether cooper can write where it has to. */
export function checkCooper({ version, directories }: CooperFacts, machine: Machine): Check[] {
  const line = { id: "directories", title: "Directories" };
  const locked = directories.filter(({ writable }) => !writable);
  return [
    {
      id: "cooper",
      status: "ok",
      title: "cooper",
      detail: `${version} on ${machine.platform} ${machine.architecture}`,
    },
    locked.length === 0
      ? { ...line, status: "ok", detail: directories.map(({ path }) => path).join(", ") }
      : {
          ...line,
          status: "problem",
          detail: `${enumerate(locked.map(({ path }) => path))} cannot be written`,
          remedy: formatRemedy(openDirectories(locked, machine)),
        },
  ];
}

function openDirectories(locked: readonly DirectoryFacts[], machine: Machine) {
  const existing = locked.filter(({ exists }) => exists).map(({ path }) => path);
  const variables = enumerate(locked.map(({ variable }) => variable));
  const elsewhere = `name directories that can be written with ${variables}.`;
  if (existing.length === 0) return { text: `N${elsewhere.slice(1)}`, commands: [] };
  return {
    text: `Take them over, or ${elsewhere}`,
    commands: [
      asRoot(machine, formatCommand({ file: "chown", args: ["-R", machine.user.name, ...existing], env: {} })),
    ],
  };
}
