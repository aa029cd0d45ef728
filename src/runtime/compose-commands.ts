import type { Command } from "../plan/command.ts";
import type { ComposeClient } from "./compose-client.ts";

/** How Compose is called, whatever its version. */
export type ComposeCommand = Omit<ComposeClient, "version">;

/** Which files make a project. */
export interface ProjectFiles {
  /** Absolute, in the order in which they override each other. */
  readonly files: readonly string[];
  /** The value of `--env-file`; undefined leaves it to Compose. */
  readonly envFile: string | undefined;
}

/** A project and its files, those that override them last. */
export interface ProjectCall extends ProjectFiles {
  readonly projectName: string;
  readonly overrideFiles: readonly string[];
}

/** What prints a project as JSON, services of every profile included. */
export function composeConfig(client: ComposeCommand, files: ProjectFiles): Command {
  return command(client, [...fileOptions(files), "--profile", "*", "config", "--format", "json"]);
}

/** What starts services, making what they lack; none named means all of the profiles in force. */
export function composeUp(
  client: ComposeCommand,
  call: ProjectCall & {
    readonly profiles: readonly string[];
    readonly noRecreate: boolean;
    readonly services: readonly string[];
  },
): Command {
  return command(client, [
    ...projectOptions(call),
    ...call.profiles.flatMap((profile) => ["--profile", profile]),
    "up",
    "-d",
    ...(call.noRecreate ? ["--no-recreate"] : []),
    ...serviceNames(call.services),
  ]);
}

/** What builds the images of services. */
export function composeBuild(
  client: ComposeCommand,
  call: ProjectCall & { readonly noCache: boolean; readonly services: readonly string[] },
): Command {
  return command(client, [
    ...projectOptions(call),
    "build",
    ...(call.noCache ? ["--no-cache", "--pull"] : []),
    ...serviceNames(call.services),
  ]);
}

function command(client: ComposeCommand, args: readonly string[]): Command {
  return { file: client.file, args: [...client.words, ...args], env: client.env };
}

function projectOptions(call: ProjectCall): string[] {
  const { projectName, files, overrideFiles, envFile } = call;
  return ["--project-name", projectName, ...fileOptions({ files: [...files, ...overrideFiles], envFile })];
}

function fileOptions({ files, envFile }: ProjectFiles): string[] {
  return [...files.flatMap((file) => ["-f", file]), ...(envFile === undefined ? [] : ["--env-file", envFile])];
}

/** A service may be called like an option. */
function serviceNames(services: readonly string[]): string[] {
  return services.length === 0 ? [] : ["--", ...services];
}
