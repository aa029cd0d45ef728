import { dirname, resolve } from "node:path/posix";
import { dotEnvValue } from "./dot-env.ts";

/** What a project's files are looked for with; paths absolute. */
export interface ComposeFilesPlace {
  readonly configPath: string;
  readonly workspaceFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of the workspace folder's `.env`; undefined where there is none. */
  readonly dotEnv: string | undefined;
  readonly exists: (path: string) => boolean;
}

/** A project's files in the order in which they override each other, absolute. */
export interface ComposeFiles {
  readonly files: readonly string[];
  /** The value of `--env-file`. */
  readonly envFile: string | undefined;
}

/** The names that a project's file has when nobody says: the reference CLI's, then Compose's own by their rank. */
const USUAL_NAMES = ["docker-compose.yml", "compose.yaml", "compose.yml", "docker-compose.yaml"];

/** The files of a `dockerComposeFile`, relative to the configuration; for an empty list those that Compose itself would use in the workspace. */
export function composeFilesOf(dockerComposeFile: string | readonly string[], place: ComposeFilesPlace): ComposeFiles {
  const written = [dockerComposeFile].flat();
  if (written.length > 0) {
    return { files: written.map((file) => resolve(dirname(place.configPath), file)), envFile: undefined };
  }
  return {
    files: filesFromEnvironment(place) ?? usualFiles(place),
    envFile: place.dotEnv === undefined ? undefined : resolve(place.workspaceFolder, ".env"),
  };
}

function filesFromEnvironment({ environment, dotEnv, workspaceFolder }: ComposeFilesPlace): string[] | undefined {
  const value = (name: string) => environment[name] || dotEnvValue(dotEnv ?? "", name);
  const listed = value("COMPOSE_FILE");
  if (listed === undefined) return undefined;
  const separator = value("COMPOSE_PATH_SEPARATOR") ?? ":";
  return listed
    .split(separator)
    .filter((file) => file !== "")
    .map((file) => resolve(workspaceFolder, file));
}

function usualFiles({ workspaceFolder, exists }: ComposeFilesPlace): string[] {
  const paths = USUAL_NAMES.map((name) => resolve(workspaceFolder, name));
  const file = paths.find(exists) ?? resolve(workspaceFolder, "docker-compose.yml");
  const override = file.replace(/\.ya?ml$/, (ending) => `.override${ending}`);
  return [file, ...(exists(override) ? [override] : [])];
}
