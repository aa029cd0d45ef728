import * as v from "valibot";
import { UserError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";

const string = v.string();
const strings = v.nullish(v.array(string), []);
const words = v.nullish(v.array(string));
const scalar = v.pipe(
  v.union([v.string(), v.number(), v.boolean()]),
  v.transform((value) => String(value)),
);

/** Values by name, written as an object or as `name=value`; a name without a value is left out. */
const pairs = v.pipe(
  v.nullish(v.union([v.array(string), v.record(string, v.nullable(scalar))]), {}),
  v.transform((value): Record<string, string> => Object.fromEntries(pairEntries(value))),
);

const secretUse = v.union([
  v.pipe(
    string,
    v.transform((source) => ({ source, target: undefined })),
  ),
  v.object({ source: string, target: v.nullish(string) }),
]);

const limit = v.union([v.number(), v.object({ soft: v.nullish(v.number()), hard: v.nullish(v.number()) })]);

const build = v.object({
  context: v.nullish(string),
  dockerfile: v.nullish(string),
  dockerfile_inline: v.nullish(string),
  target: v.nullish(string),
  args: pairs,
  labels: pairs,
  additional_contexts: pairs,
  cache_from: strings,
  cache_to: strings,
  extra_hosts: v.nullish(v.union([v.array(string), v.record(string, v.union([string, v.array(string)]))]), []),
  network: v.nullish(string),
  shm_size: v.nullish(scalar),
  ulimits: v.nullish(v.record(string, limit), {}),
  secrets: v.nullish(v.array(secretUse), []),
  ssh: v.nullish(v.union([v.array(string), v.record(string, v.nullable(string))]), []),
  tags: strings,
  platforms: strings,
  no_cache: v.nullish(v.boolean(), false),
  pull: v.nullish(v.boolean(), false),
  privileged: v.nullish(v.boolean(), false),
  entitlements: strings,
});

const service = v.object({
  image: v.nullish(string),
  build: v.nullish(build),
  user: v.nullish(scalar),
  platform: v.nullish(string),
  entrypoint: words,
  command: words,
  profiles: strings,
  depends_on: v.nullish(v.union([v.array(string), v.record(string, v.unknown())]), []),
});

const secret = v.object({ file: v.nullish(string), environment: v.nullish(string) });

const project = v.object({
  name: v.nullish(string),
  services: v.nullish(v.record(string, service), {}),
  secrets: v.nullish(v.record(string, secret), {}),
});

/** A Compose project as `config --format json` prints it, as far as it means something here. */
export type ComposeModel = v.InferOutput<typeof project>;
export type ComposeService = v.InferOutput<typeof service>;
export type ComposeBuild = v.InferOutput<typeof build>;

/** Reads what `config --format json` printed; throws UserError when it is not the JSON of a project. */
export function readComposeModel(text: string): ComposeModel {
  try {
    // Compose writes every $ twice, so that what it prints could be read by it again.
    return v.parse(project, JSON.parse(text.replaceAll("$$", "$")));
  } catch (cause) {
    const found = cause instanceof v.ValiError ? ` (${v.getDotPath(cause.issues[0]) ?? "all of it"})` : "";
    throw new UserError(
      `Could not read Docker Compose's answer to \`config --format json\`: it is no project${found}.`,
      {
        description: "An error occurred retrieving the Docker Compose configuration.",
        cause,
      },
    );
  }
}

function pairEntries(value: readonly string[] | JsonObject): (readonly [string, string])[] {
  if (!isJsonObject(value)) {
    return value.flatMap((pair) => {
      const equals = pair.indexOf("=");
      return equals === -1 ? [] : [[pair.slice(0, equals), pair.slice(equals + 1)] as const];
    });
  }
  return Object.entries(value).flatMap(([name, member]) =>
    typeof member === "string" ? [[name, member] as const] : [],
  );
}
