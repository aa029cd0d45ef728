import { posix, win32 } from "node:path";
import { UserError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";

/**
 * What variables are replaced by. What is not known yet stays away from here, and its variables stay as they are: on
 * reading the host's environment and folders, later the id, at last the container's environment.
 */
export type SubstitutionContext = {
  readonly localEnv?: Readonly<Record<string, string | undefined>> | undefined;
  readonly localWorkspaceFolder?: string | undefined;
  /** May itself hold variables of the host. */
  readonly containerWorkspaceFolder?: string | undefined;
  readonly devcontainerId?: string | undefined;
  readonly containerEnv?: Readonly<Record<string, string | undefined>> | undefined;
  /** The host's, as Node names it: on `win32` names of environment variables know no case. */
  readonly platform?: string | undefined;
};

/** The value with `${…}` replaced in every string, not in keys; throws a UserError for `${localEnv}` without a name. */
export function substitute(value: JsonValue, context: SubstitutionContext): JsonValue {
  if (typeof value === "string") return substituteText(value, context);
  if (Array.isArray(value)) return value.map((item) => substitute(item, context));
  if (typeof value === "object" && value !== null) return substituteObject(value, context);
  return value;
}

/** The object with `${…}` replaced in every string below it. */
export function substituteObject(value: JsonObject, context: SubstitutionContext): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, substitute(member, context)]));
}

/** The text with `${…}` replaced. */
export function substituteText(text: string, context: SubstitutionContext): string {
  return text.replace(/\$\{(.*?)\}/g, (whole, inner: string) => {
    const [name, ...rest] = inner.split(":");
    return variableValue({ whole, name: name ?? "", rest }, context) ?? whole;
  });
}

type Variable = { readonly whole: string; readonly name: string; readonly rest: readonly string[] };

function variableValue(variable: Variable, context: SubstitutionContext): string | undefined {
  const { localWorkspaceFolder } = context;
  switch (variable.name) {
    case "env":
    case "localEnv":
      return fromEnvironment(variable, context.localEnv, context.platform === "win32");
    case "containerEnv":
      return fromEnvironment(variable, context.containerEnv, false);
    case "devcontainerId":
      return context.devcontainerId;
    case "localWorkspaceFolder":
      return localWorkspaceFolder;
    case "localWorkspaceFolderBasename":
      if (localWorkspaceFolder === undefined) return undefined;
      return context.platform === "win32" ? win32.basename(localWorkspaceFolder) : posix.basename(localWorkspaceFolder);
    case "containerWorkspaceFolder":
      return containerFolder(context);
    case "containerWorkspaceFolderBasename": {
      const folder = containerFolder(context);
      return folder === undefined ? undefined : posix.basename(folder);
    }
    default:
      return undefined;
  }
}

function containerFolder(context: SubstitutionContext): string | undefined {
  const { containerWorkspaceFolder, ...others } = context;
  return containerWorkspaceFolder === undefined ? undefined : substituteText(containerWorkspaceFolder, others);
}

function fromEnvironment(
  variable: Variable,
  environment: Readonly<Record<string, string | undefined>> | undefined,
  ignoreCase: boolean,
): string | undefined {
  if (environment === undefined) return undefined;
  const [name, fallback] = variable.rest;
  if (name === undefined) {
    throw new UserError(`'${variable.whole}' can not be resolved because no environment variable name is given.`, {
      hint: `Write it like "\${${variable.name}:HOME}".`,
    });
  }
  const key = ignoreCase ? Object.keys(environment).find((known) => known.toLowerCase() === name.toLowerCase()) : name;
  const value = key !== undefined && Object.hasOwn(environment, key) ? environment[key] : undefined;
  return value ?? fallback ?? "";
}
