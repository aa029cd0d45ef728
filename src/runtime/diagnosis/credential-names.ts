import { type ParseError, parse } from "jsonc-parser";
import { isJsonObject, type JsonObject } from "../../json.ts";
import type { CredentialFile, CredentialNames } from "./check-credentials.ts";

/** The names in a docker `config.json` or podman `auth.json`; where it is broken, the place alone, as the text is secret. */
export function readCredentialNames(text: string): CredentialFile["state"] {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments: true });
  const [first] = errors;
  if (first !== undefined) return { kind: "broken", position: positionOf(text, first.offset) };
  if (!isJsonObject(value)) return { kind: "broken", position: "1:1" };
  return { kind: "read", names: namesIn(value) };
}

/** The registries that `DEVCONTAINERS_OCI_AUTH` has credentials for, and the places of entries that are none. */
export function readOciAuth(value: string): {
  readonly registries: readonly string[];
  readonly malformed: readonly number[];
} {
  const entries = value === "" ? [] : value.split(",").map((entry) => entry.split("|"));
  const isWhole = (parts: readonly string[]) => parts.length === 3 && parts[0] !== "";
  return {
    registries: entries.filter(isWhole).map(([registry]) => hostOf(registry ?? "")),
    malformed: entries.flatMap((parts, index) => (isWhole(parts) ? [] : [index + 1])),
  };
}

function namesIn(config: JsonObject): CredentialNames {
  const auths = objectIn(config, "auths");
  const store = programOf(config["credsStore"]);
  const registries = Object.keys(auths)
    // Docker leaves an empty entry for what a helper keeps.
    .filter((registry) => {
      const entry = auths[registry];
      return isJsonObject(entry) && ["auth", "identitytoken", "password"].some((key) => (entry[key] ?? "") !== "");
    })
    .map(hostOf);
  const helpers = Object.entries(objectIn(config, "credHelpers")).flatMap(([registry, helper]) => {
    const program = programOf(helper);
    return program === undefined ? [] : [{ registry: hostOf(registry), program }];
  });
  return {
    registries: [...new Set(registries)].sort(),
    helpers: [...(store === undefined ? [] : [{ registry: null, program: store }]), ...helpers],
  };
}

function objectIn(config: JsonObject, key: string): JsonObject {
  const value = config[key];
  return isJsonObject(value) ? value : {};
}

function programOf(helper: unknown): string | undefined {
  return typeof helper === "string" && helper !== "" ? `docker-credential-${helper}` : undefined;
}

/** A registry as people call it: without scheme, path and anything before an `@`. */
function hostOf(registry: string): string {
  const host = registry
    .replace(/^https?:\/\//, "")
    .replace(/\/.*$/, "")
    .replace(/^.*@/, "");
  return host === "index.docker.io" ? "docker.io" : host;
}

function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${(before.at(-1) ?? "").length + 1}`;
}
