import type { Platform } from "../oci/platform.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { DockerfileModel, DockerfileStage, RawPair } from "./dockerfile-model.ts";
import { expandWord } from "./parse-words.ts";

/** What the builder is told besides the Dockerfile. */
export type BuildQuery = {
  /** A stage's name or zero-based index; the last stage when absent. */
  readonly target?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  /** The builder's own variables, from platformArguments. */
  readonly platformArguments?: Readonly<Record<string, string>> | undefined;
};

/** Variables in force at a point of a Dockerfile. */
export type Variables = ReadonlyMap<string, string>;

/** The builder's BUILDPLATFORM, TARGETARCH and so on, as BuildKit defines them. */
export function platformArguments(platforms: { build: Platform; target: Platform }): Record<string, string> {
  return { ...named("BUILD", platforms.build), ...named("TARGET", platforms.target) };
}

function named(prefix: "BUILD" | "TARGET", platform: Platform): Record<string, string> {
  return {
    [`${prefix}PLATFORM`]: formatPlatform(platform),
    [`${prefix}OS`]: platform.os,
    [`${prefix}ARCH`]: platform.architecture,
    [`${prefix}VARIANT`]: platform.variant ?? "",
  };
}

/** The variables that FROM instructions see: the builder's own and the ARGs before the first FROM. */
export function globalVariables(model: DockerfileModel, query: BuildQuery): Variables {
  const buildArgs = new Map(Object.entries(query.buildArgs ?? {}));
  const variables = new Map(Object.entries(query.platformArguments ?? {}));
  for (const [name, value] of buildArgs) if (variables.has(name)) variables.set(name, value);
  for (const instruction of model.preamble) {
    const before = new Map(variables);
    for (const pair of instruction.pairs) {
      const name = expand(pair.name, before, { model, line: instruction.line });
      const value = buildArgs.get(name) ?? expandValue(pair, before, { model, line: instruction.line });
      if (value !== undefined) variables.set(name, value);
    }
  }
  return variables;
}

/**
 * The variables and the last USER (undefined when there is none) at the end of a stage that starts with `before`. An ARG
 * takes the build argument, else its own default, else the global of that name; whichever of ARG and ENV comes last wins.
 */
export function runStage(
  stage: DockerfileStage,
  before: Variables,
  context: { model: DockerfileModel; globals: Variables; buildArgs: Readonly<Record<string, string>> | undefined },
): { variables: Variables; user: string | undefined } {
  const buildArgs = new Map(Object.entries(context.buildArgs ?? {}));
  const variables = new Map(before);
  let user: string | undefined;
  for (const instruction of stage.instructions) {
    const place = { model: context.model, line: instruction.line };
    if (instruction.kind === "user") {
      user = expand(instruction.value, variables, place);
      continue;
    }
    const seen = new Map(variables);
    for (const pair of instruction.pairs) {
      const name = expand(pair.name, seen, place);
      const written = expandValue(pair, seen, place);
      const value =
        instruction.kind === "env" ? written : (buildArgs.get(name) ?? written ?? context.globals.get(name));
      if (value !== undefined) variables.set(name, value);
    }
  }
  return { variables, user };
}

/** A word of a FROM or USER instruction with its variables replaced. */
export function expand(word: string, variables: Variables, place: { model: DockerfileModel; line: number }): string {
  return expandWord(word, {
    escapeCharacter: place.model.escapeCharacter,
    where: `${place.model.file}:${place.line}`,
    variables: (name) => variables.get(name),
  });
}

function expandValue(
  pair: RawPair,
  variables: Variables,
  place: { model: DockerfileModel; line: number },
): string | undefined {
  return pair.value === undefined ? undefined : expand(pair.value, variables, place);
}
