import { formatCommand } from "../../plan/command.ts";
import { type Check, enumerate } from "./check.ts";

/** What may be known of a file of registry credentials: names, never values. */
export interface CredentialNames {
  /** Registries that have credentials in the file itself. */
  readonly registries: readonly string[];
  /** Programs that keep the others; `registry` is null for one that is asked about every registry. */
  readonly helpers: readonly { readonly registry: string | null; readonly program: string }[];
}

/** A file that credentials may be in. */
export interface CredentialFile {
  readonly path: string;
  readonly state:
    | { readonly kind: "absent" }
    | { readonly kind: "unreadable"; readonly found: string }
    /** `position` is `line:column`. */
    | { readonly kind: "broken"; readonly position: string }
    | { readonly kind: "read"; readonly names: CredentialNames };
}

/** Everything that may authenticate to a registry. */
export interface CredentialFacts {
  readonly files: readonly CredentialFile[];
  /** Of the helpers that the files name, those that cannot be run. */
  readonly missingPrograms: ReadonlySet<string>;
  readonly environment: {
    /** Registries that DEVCONTAINERS_OCI_AUTH has an entry for. */
    readonly ociAuth: readonly string[];
    /** Places, from 1, of its entries that are not `registry|user|token`. */
    readonly malformedOciAuth: readonly number[];
    /** GITHUB_TOKEN is set, and meant for github.com. */
    readonly githubToken: boolean;
  };
  /** The config.json that DOCKER_CONFIG promises, if it is not there. */
  readonly promisedFile: string | undefined;
}

const LINE = { id: "credentials", title: "Credentials" } as const;

/** Which registries have credentials, and which sources of them are broken. */
export function checkCredentials(facts: CredentialFacts, usesPodman: boolean): Check[] {
  const sources = [...facts.files.flatMap((file) => describeFile(file, facts)), ...describeEnvironment(facts)];
  const found: Check = {
    ...LINE,
    status: "ok",
    detail: sources.length === 0 ? "none: registries are asked anonymously" : sources.join("; "),
  };
  const troubles = [
    ...facts.files.flatMap((file) => troubleWith(file, facts)),
    ...troubleInEnvironment(facts),
    ...(usesPodman ? promiseTrouble(facts) : []),
  ];
  return sources.length === 0 && troubles.length > 0 ? troubles : [found, ...troubles];
}

function describeFile({ path, state }: CredentialFile, { missingPrograms }: CredentialFacts): string[] {
  if (state.kind !== "read") return [];
  const { registries, helpers } = state.names;
  const working = helpers.filter(({ program }) => !missingPrograms.has(program));
  const own = registries.length === 0 ? [] : [`${enumerate(registries)} (${path})`];
  return [
    ...own,
    ...working.map(({ registry, program }) => `${registry ?? "any registry"} (${program}, from ${path})`),
  ];
}

function describeEnvironment({ environment: { ociAuth, githubToken } }: CredentialFacts): string[] {
  return [
    ...(ociAuth.length === 0 ? [] : [`${enumerate(ociAuth)} (DEVCONTAINERS_OCI_AUTH)`]),
    ...(githubToken ? ["ghcr.io (GITHUB_TOKEN)"] : []),
  ];
}

function troubleWith({ path, state }: CredentialFile, { missingPrograms }: CredentialFacts): Check[] {
  switch (state.kind) {
    case "absent":
      return [];
    case "unreadable":
      return [
        {
          ...LINE,
          status: "problem",
          detail: `${path} cannot be read: ${state.found}`,
          remedy: "Make it readable for you, and for nobody else.",
        },
      ];
    case "broken":
      return [
        {
          ...LINE,
          status: "problem",
          detail: `${path}:${state.position} is not JSON: engines stop, or ask registries anonymously`,
          remedy: "Correct it; an empty configuration is {}.",
        },
      ];
    case "read":
      return state.names.helpers
        .filter(({ program }) => missingPrograms.has(program))
        .map(({ registry, program }) => ({
          ...LINE,
          status: "problem",
          detail: `${program}, which ${path} names for ${registry ?? "every registry"}, is not on PATH: pulls${registry === null ? "" : ` from ${registry}`} fail, even of public images`,
          remedy: `Install it, or take ${registry === null ? '"credsStore"' : `${JSON.stringify(registry)} under "credHelpers"`} out of the file and log in again.`,
        }));
  }
}

function troubleInEnvironment({ environment: { malformedOciAuth } }: CredentialFacts): Check[] {
  if (malformedOciAuth.length === 0) return [];
  const places = `${malformedOciAuth.length === 1 ? "entry" : "entries"} ${enumerate(malformedOciAuth.map(String))}`;
  return [
    {
      ...LINE,
      status: "warning",
      detail: `${places} of DEVCONTAINERS_OCI_AUTH cannot be used`,
      remedy: "Entries are registry|user|token, separated by commas.",
    },
  ];
}

function promiseTrouble({ promisedFile }: CredentialFacts): Check[] {
  if (promisedFile === undefined) return [];
  return [
    {
      ...LINE,
      status: "warning",
      detail: `DOCKER_CONFIG is set, and ${promisedFile} does not exist: Podman then refuses to pull`,
      remedy: `Create it, or unset DOCKER_CONFIG:\n  echo '{}' > ${formatCommand({ file: promisedFile, args: [], env: {} })}`,
    },
  ];
}
