import { resolve } from "node:path";
import { settingsSchema } from "../agent/settings-document.ts";
import { UserError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { stateDirectory } from "../store/directories.ts";
import { listTrusted, revokeTrust, trustFile } from "../store/project-trust.ts";
import { type LoadedAgentSettings, loadAgentSettings } from "../workflows/load-agent-settings.ts";
import type { Tools } from "../workflows/tools.ts";
import type { CliCommand } from "./command.ts";
import { LOG_FLAGS } from "./flag-groups.ts";
import { type Flags, UsageError } from "./flags.ts";

/** `config`: the settings that count here; `config trust`: lets this project's own file say what reaches beyond the project. */
export const config: CliCommand = {
  name: "config",
  description: "Show cooper's settings here; with the word trust, trust this project's own",
  flags: {
    sources: { type: "boolean", description: "Where each value comes from, too" },
    json: { type: "boolean", description: "One JSON document instead of text" },
    schema: { type: "boolean", description: "The JSON schema of the configuration files, and nothing else" },
    revoke: { type: "boolean", description: "With trust: take the trust back" },
    list: { type: "boolean", description: "With trust: the files that were trusted, and nothing else" },
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 1 },
  words: "trust",
  wordChoices: ["trust"],
  check: (flags) => {
    const [word] = flags.positionals;
    if (word !== undefined && word !== "trust") throw new UsageError(`Unknown argument: ${word} (did you mean trust?)`);
    for (const name of ["revoke", "list"]) {
      if (flags.boolean(name) && word === undefined) throw new UsageError(`--${name} is for config trust.`);
    }
  },
  run: async (flags, tools) => {
    if (flags.boolean("schema")) {
      tools.terminal.writeData(`${JSON.stringify(settingsSchema(), null, 2)}\n`);
      return 0;
    }
    if (flags.positionals.length > 0) return trust(flags, tools);
    const loaded = loadAgentSettings(folderOf(tools), tools);
    const text = flags.boolean("json") ? JSON.stringify(documentOf(loaded, flags), null, 2) : render(loaded, flags);
    tools.terminal.writeData(`${text}\n`);
    return 0;
  },
};

/** The folder that an agent would work in; settings may be looked at where no agent is let in, too. */
function folderOf({ environment, workingDirectory }: Tools): string {
  return resolve(workingDirectory, environment["OCX_WORKSPACE"] || ".");
}

function documentOf({ settings, sources, files }: LoadedAgentSettings, flags: Flags): JsonObject {
  const values: JsonObject = { ...settings };
  if (!flags.boolean("sources")) return values;
  const from = Object.fromEntries(Object.entries(sources).map(([key, names]) => [key, [...names]]));
  return { config: values, sources: from, files: [...files] };
}

function render({ settings, sources }: LoadedAgentSettings, flags: Flags): string {
  const width = Math.max(...Object.keys(settings).map((key) => key.length));
  const lines = Object.entries(settings).map(([key, value]) => {
    const from = flags.boolean("sources") ? `  (${sources[key]?.join(", ")})` : "";
    return `${key.padEnd(width)}  ${JSON.stringify(value)}${from}`;
  });
  return lines.join("\n");
}

function trust(flags: Flags, tools: Tools): number {
  if (flags.boolean("list")) {
    const files = listTrusted(stateDirectory(tools));
    const lines = files.map(
      ({ path, trusted }) => `${path}${trusted ? "" : "  (changed since, or gone: not trusted)"}\n`,
    );
    tools.terminal.writeData(lines.join(""));
    return 0;
  }
  // Its warnings are what the trust is about: they are told below.
  const quiet = { ...tools, log: { ...tools.log, warning: tools.log.debug } };
  const folder = folderOf(tools);
  const { projectFiles, ignored } = loadAgentSettings(folder, quiet);
  const state = stateDirectory(tools);
  if (projectFiles.length === 0) {
    throw new UserError(`There is nothing to trust in ${folder}: no cooper.jsonc and no ocx.json.`);
  }
  for (const file of projectFiles) {
    if (flags.boolean("revoke")) {
      const was = revokeTrust(state, file.path);
      tools.log.info(`${file.path} ${was ? "is not trusted any more" : "was not trusted"}.`);
      continue;
    }
    for (const { key, value } of ignored.filter(({ layer, grantable }) => layer === file.path && grantable)) {
      tools.log.info(`${file.path} may now set ${key} to ${JSON.stringify(value)}.`);
    }
    trustFile(state, file);
    tools.log.info(`${file.path} is trusted as it is now; a change of it takes that back.`);
  }
  return 0;
}
