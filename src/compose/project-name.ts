import { basename, dirname, join } from "node:path/posix";
import { dotEnvValue } from "./dot-env.ts";

/** What a project's name is found with; paths absolute. */
export interface ProjectNamePlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of the workspace folder's `.env`; undefined where there is none. */
  readonly dotEnv: string | undefined;
  /** The name that Compose itself resolved the project to. */
  readonly resolvedName: string | undefined;
  /** The project's files in the order in which they override each other, and what is written in them. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly workspaceFolder: string;
}

/**
 * The project that a workspace's containers belong to. Compose calls every project whose files lie in a `.devcontainer` folder
 * `devcontainer`; unless somebody chose that name, the workspace's own takes its place.
 */
export function projectNameOf(place: ProjectNamePlace): string {
  const { environment, dotEnv, resolvedName = "", files, workspaceFolder } = place;
  const chosen =
    sanitized(environment["COMPOSE_PROJECT_NAME"] ?? "") ||
    sanitized(dotEnvValue(dotEnv ?? "", "COMPOSE_PROJECT_NAME") ?? "");
  if (chosen !== "") return chosen;
  if (resolvedName !== "" && (resolvedName !== "devcontainer" || files.some(({ text }) => declaresName(text)))) {
    return sanitized(resolvedName);
  }
  const [first] = files;
  const folder = first === undefined ? workspaceFolder : dirname(first.path);
  const inDevcontainer = folder === join(workspaceFolder, ".devcontainer");
  return sanitized(inDevcontainer ? `${basename(workspaceFolder)}_devcontainer` : basename(folder));
}

/** The name that Compose gives the image of a service that has a build and no image: its separator changed with version 2.8. */
export function serviceImageName(project: string, service: string, composeVersion: readonly [number, number]): string {
  const [major, minor] = composeVersion;
  const separator = major > 2 || (major === 2 && minor >= 8) ? "-" : "_";
  return `${project}${separator}${service}`;
}

/** Lower case, of `[a-z0-9_-]`, beginning with a letter or digit. */
function sanitized(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-_a-z0-9]/g, "")
    .replace(/^[-_]+/, "");
}

/** Whether a file sets the project's name, told by its text: a key at the start of a line is one of the top level. */
function declaresName(text: string): boolean {
  return /^(?:name|"name"|'name')[ \t]*:[ \t]*[^\s#]/m.test(text) || /^\s*\{\s*"name"\s*:/.test(text);
}
