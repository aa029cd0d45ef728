import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HookCommand, hookCommands } from "../devcontainer/lifecycle.ts";
import { UserError } from "../errors.ts";
import { askTerminal, canAsk } from "../host/ask-terminal.ts";
import { canonicalJson } from "../json.ts";
import { hexOf, sha256Of } from "../oci/digest.ts";
import { stateDirectory } from "../store/directories.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { runAnnounced } from "./run-announced.ts";
import type { Tools } from "./tools.ts";
import { readUserSettings } from "./user-settings.ts";

/**
 * Runs the configuration's initializeCommand on the host, in the workspace folder. On a terminal it is shown and asked for first, once
 * for a workspace and content; without one it runs unless `hostCommands` or the user's settings say no. Throws UserError when it is
 * refused by whoever is asked, or fails.
 */
export async function runInitializeCommand(
  configuration: Pick<LoadedConfiguration, "config" | "workspaceFolder" | "configPath">,
  wishes: { readonly hostCommands: boolean | undefined },
  tools: Tools,
): Promise<void> {
  const commands = hookCommands(configuration.config.initializeCommand);
  if (commands.length === 0) return;
  const allowed = wishes.hostCommands ?? readUserSettings(tools).hostCommands;
  if (allowed === false) {
    tools.log.warning("The initializeCommand does not run: commands of the repository on this host are turned off.");
    return;
  }
  if (allowed === undefined && canAsk()) await askOnce(configuration, commands, tools);
  const settled = await Promise.allSettled(commands.map((command) => runCommand(command, configuration, tools)));
  for (const result of settled) if (result.status === "rejected") throw result.reason;
}

async function askOnce(
  { workspaceFolder, configPath }: Pick<LoadedConfiguration, "workspaceFolder" | "configPath">,
  commands: readonly HookCommand[],
  tools: Tools,
): Promise<void> {
  const folder = join(stateDirectory(tools), "host-commands");
  const content = canonicalJson([workspaceFolder, ...commands.map(({ name, argv }) => [name ?? null, ...argv])]);
  const consent = join(folder, hexOf(sha256Of(content)));
  if (existsSync(consent)) return;
  const shown = commands.map((command) => `    ${printable(describe(command))}\n`).join("");
  tools.terminal.writeMessage(`${configPath} wants to run on this host, in ${workspaceFolder}:\n${shown}`);
  if (!(await askTerminal("Run it, now and whenever it is the same?", tools.interruption))) {
    throw new UserError("The initializeCommand was not allowed to run.", {
      hint: "--no-host-commands goes on without it.",
    });
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(consent, "");
}

async function runCommand(
  command: HookCommand,
  { workspaceFolder }: Pick<LoadedConfiguration, "workspaceFolder">,
  tools: Tools,
): Promise<void> {
  const { name, argv } = command;
  const [file = "", ...args] = argv;
  const what = name === undefined ? "the initializeCommand" : `${name} of initializeCommand`;
  const { exitCode, tail } = await runAnnounced(
    { file, args, env: {} },
    {
      title: `Running ${what} from devcontainer.json...`,
      progress: "Running initializeCommand...",
      detail: argv.join(" "),
      workingDirectory: workspaceFolder,
    },
    tools,
  );
  if (exitCode === 0) return;
  throw new UserError(
    `${name === undefined ? "initializeCommand" : what} from devcontainer.json failed on the host with exit code ${exitCode}.${tail === "" ? "" : `\n${tail}`}`,
    { description: "The initializeCommand in the devcontainer.json failed." },
  );
}

function describe({ name, argv }: HookCommand): string {
  const [file, option, line] = argv;
  const isLine = file === "/bin/sh" && option === "-c" && argv.length === 3 && line !== undefined;
  return `${name === undefined ? "" : `${name}: `}${isLine ? line : argv.map((word) => JSON.stringify(word)).join(" ")}`;
}

/** What is asked for must be all that is seen: nothing moves the cursor or hides behind it. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) =>
    character === "\n" ? "\n    " : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
