import { UserError } from "../errors.ts";
import { isDomain } from "../oci/reference.ts";
import { registryOrigin } from "../oci/registry-origin.ts";

/** How registries are to be reached other than by their names alone: only as the user asks. */
export type RegistrySettings = {
  /** Registries that are spoken to over plain HTTP. */
  readonly plainHttp: ReadonlySet<string>;
  /** By registry, the ones that are read from first, in order. */
  readonly mirrors: ReadonlyMap<string, readonly string[]>;
};

/** The environment variable that names registries to be spoken to over plain HTTP, with commas between. */
export const plainHttpVariable = "COOPER_PLAIN_HTTP";

/** The environment variable with `registry=mirror` pairs, with commas between. */
export const mirrorsVariable = "COOPER_REGISTRY_MIRRORS";

/** Reads the two variables; throws a UserError that names the one that cannot be understood. */
export function readRegistrySettings(environment: Readonly<Record<string, string | undefined>>): RegistrySettings {
  const plainHttp = new Set(listIn(environment[plainHttpVariable]).map((domain) => checked(domain, plainHttpVariable)));
  const mirrors = new Map<string, readonly string[]>();
  for (const pair of listIn(environment[mirrorsVariable])) {
    const [registry = "", mirror = "", ...rest] = pair.split("=");
    if (mirror === "" || rest.length > 0) throw invalid(pair, mirrorsVariable);
    const domain = checked(registry, mirrorsVariable);
    mirrors.set(domain, [...(mirrors.get(domain) ?? []), checked(mirror, mirrorsVariable)]);
  }
  return { plainHttp, mirrors };
}

/** The `scheme://host[:port]` of a registry's API under these settings. */
export function originUnder({ plainHttp }: Pick<RegistrySettings, "plainHttp">): (domain: string) => string {
  return (domain) => (plainHttp.has(domain) ? `http://${domain}` : registryOrigin(domain));
}

function listIn(value: string | undefined): string[] {
  return (value ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function checked(text: string, variable: string): string {
  const domain = text.toLowerCase();
  if (!isDomain(domain)) throw invalid(text, variable);
  return domain;
}

function invalid(text: string, variable: string): UserError {
  const form = variable === plainHttpVariable ? "a registry such as registry.example:5000" : "REGISTRY=MIRROR";
  return new UserError(`${JSON.stringify(text)} cannot be understood: wanted ${form}.`, {
    hint: `It was given as an option or in ${variable}.`,
  });
}
