import type { DockerfileModel } from "./dockerfile-model.ts";
import { resolveBaseImage } from "./resolve-base-image.ts";
import { type BuildQuery, globalVariables, runStage, type Variables } from "./stage-variables.ts";

/**
 * The user that the built image starts as, group included (`1000:1000`): the last USER along the chain of stages, else the
 * base image's, else `root`. A USER that expands to nothing is root, whatever the base image says.
 */
export function resolveUser(
  model: DockerfileModel,
  query: BuildQuery & {
    readonly baseEnv?: Readonly<Record<string, string>> | undefined;
    readonly baseUser?: string | undefined;
  } = {},
): string {
  const globals = globalVariables(model, query);
  let variables: Variables = new Map(Object.entries(query.baseEnv ?? {}));
  let user = query.baseUser;
  for (const stage of resolveBaseImage(model, query).chain) {
    const end = runStage(stage, variables, { model, globals, buildArgs: query.buildArgs });
    variables = end.variables;
    user = end.user ?? user;
  }
  return user || "root";
}
