import { UserError } from "../errors.ts";
import { askTerminal, canAsk } from "../host/ask-terminal.ts";
import {
  type DataVolume,
  findDataVolumes,
  removeDataVolumes,
  removeVolumes,
  sizesOf,
} from "../workflows/find-data-volumes.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS } from "./flag-groups.ts";
import { type FlagDefinitions, UsageError } from "./flags.ts";
import { printOutcome } from "./outcome.ts";
import { renderColumns } from "./render-columns.ts";

const FLAGS = { "docker-path": ENGINE_FLAGS["docker-path"], ...LOG_FLAGS } as const satisfies FlagDefinitions;
const ALL = { all: { type: "boolean", short: "a", description: "Of every project, not of this one alone" } } as const;

/** `volume list`: the volumes in which agents keep this project's caches and logins, or every project's. */
export const volumeList: CliCommand = {
  name: "list",
  description: "List the volumes in which agents keep this project's caches and logins",
  flags: { ...ALL, json: { type: "boolean", description: "Print JSON" }, ...FLAGS },
  positionals: { kind: "words", atMost: 0 },
  run: async (flags, tools) => {
    const question = { all: flags.boolean("all"), dockerPath: flags.string("docker-path") };
    const found = await findDataVolumes(question, tools);
    const sizes = found.volumes.length === 0 ? new Map<string, string>() : await sizesOf(found);
    const volumes = found.volumes.map((volume) => ({ ...volume, size: sizes.get(volume.name) ?? null }));
    const rows = volumes.map(({ name, project, size, usedBy, workspaceFolder }) => [
      name,
      project,
      size ?? "unknown",
      usedBy.join(", ") || "nothing",
      workspaceFolder ?? "unknown",
    ]);
    const table =
      rows.length === 0 ? "" : renderColumns([["VOLUME", "PROJECT", "SIZE", "USED BY", "MADE FOR"], ...rows]);
    tools.terminal.writeData(flags.boolean("json") ? `${JSON.stringify(volumes)}\n` : table);
    if (volumes.length === 0 && !flags.boolean("json"))
      tools.log.info("There is no data volume. --all lists every project's.");
    return 0;
  },
};

/** `volume rm`: removes data volumes by name, unless a container has one of them; one that is not there is no failure. */
export const volumeRemove: CliCommand = {
  name: "rm",
  description:
    "Remove data volumes by name; what is in them is lost. One that a container has stays, and all others with it",
  flags: FLAGS,
  positionals: { kind: "words", atMost: Number.POSITIVE_INFINITY },
  words: "name...",
  check: (flags) => {
    if (flags.positionals.length === 0) throw new UsageError("Name the volumes; cooper volume list shows them.");
  },
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred removing the volumes.", async () => {
      const dockerPath = flags.string("docker-path");
      const removed = await removeDataVolumes(flags.positionals, { dockerPath }, tools);
      tools.log.info(removed.length === 0 ? "There is nothing to remove." : `Removed ${removed.join(", ")}.`);
      return { removed: [...removed] };
    }),
};

/** `volume prune`: removes the data volumes that no container has, once it was confirmed. */
export const volumePrune: CliCommand = {
  name: "prune",
  description: "Remove this project's data volumes that no container has: caches, and agents' logins",
  flags: { ...ALL, force: { type: "boolean", short: "f", description: "Do not ask" }, ...FLAGS },
  positionals: { kind: "words", atMost: 0 },
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred removing the volumes.", async () => {
      const question = { all: flags.boolean("all"), dockerPath: flags.string("docker-path") };
      const { engine, volumes } = await findDataVolumes(question, tools);
      const unused = volumes.filter(({ usedBy }) => usedBy.length === 0);
      for (const { name, usedBy } of volumes.filter((volume) => !unused.includes(volume)))
        tools.log.info(`${name} stays: ${usedBy.join(", ")} has it.`);
      if (unused.length === 0) {
        tools.log.info("There is nothing to remove.");
        return { removed: [] };
      }
      const agreed = flags.boolean("force") || (await mayRemove(unused, tools));
      if (!agreed) return { removed: [] };
      await removeVolumes(unused, engine);
      const names = unused.map(({ name }) => name);
      tools.log.info(`Removed ${names.join(", ")}.`);
      return { removed: names };
    }),
};

function mayRemove(volumes: readonly DataVolume[], tools: Parameters<CliCommand["run"]>[1]): Promise<boolean> {
  const names = volumes.map(({ name }) => name).join(", ");
  if (canAsk()) return askTerminal(`Remove ${names}, with the logins of agents in them?`, tools.interruption);
  throw new UserError(`Nobody was asked whether ${names} may be removed: there is no terminal.`, {
    hint: "Say so with --force.",
  });
}
