import { UserError } from "../errors.ts";
import type { DockerfileModel, DockerfileStage } from "./dockerfile-model.ts";
import { type BuildQuery, expand, globalVariables } from "./stage-variables.ts";

/** The stage that is built and the image that its chain of stages starts from. */
export type ResolvedBase = {
  readonly stage: DockerfileStage;
  /** The stages from the one on the base image to `stage`. */
  readonly chain: readonly DockerfileStage[];
  /** The image reference, variables replaced; `scratch` for the empty image. */
  readonly baseReference: string;
  /** The `--platform` that the Dockerfile asks of the base image. */
  readonly basePlatform: string | undefined;
};

/**
 * Follows FROM from the target stage down to an image. Throws a UserError for an unknown target (naming the stages there
 * are) and for a FROM whose image expands to nothing.
 */
export function resolveBaseImage(model: DockerfileModel, query: BuildQuery = {}): ResolvedBase {
  const globals = globalVariables(model, query);
  const target = targetStage(model, query.target);
  const chain: DockerfileStage[] = [];
  let stage = target;
  for (;;) {
    chain.unshift(stage);
    const place = { model, line: stage.line };
    const reference = expand(stage.baseText, globals, place);
    if (reference === "") {
      throw new UserError(`${model.file}:${stage.line}: the image of "FROM ${stage.baseText}" expands to nothing.`, {
        hint: "Give its ARG a default before the first FROM, or pass it in build.args.",
      });
    }
    const parent = namedStage(model.stages.slice(0, stage.index), reference);
    if (parent === undefined) {
      const platform = stage.platformText === undefined ? "" : expand(stage.platformText, globals, place);
      return { stage: target, chain, baseReference: reference, basePlatform: platform || undefined };
    }
    stage = parent;
  }
}

function targetStage(model: DockerfileModel, target: string | undefined): DockerfileStage {
  const stage =
    target === undefined || target === ""
      ? model.stages.at(-1)
      : (namedStage(model.stages, target) ?? (/^\d+$/.test(target) ? model.stages[Number(target)] : undefined));
  if (stage !== undefined) return stage;
  const known = model.stages.map(({ name, index }) => name ?? `${index} (unnamed)`).join(", ");
  throw new UserError(`${model.file}: no build stage "${target}" found; its stages are ${known}.`, {
    hint: 'Correct "build.target", or name the stage with "FROM … AS <name>".',
  });
}

/** A stage can only be followed by later ones, so no chain has a cycle; of two with one name the later counts. */
function namedStage(stages: readonly DockerfileStage[], name: string): DockerfileStage | undefined {
  return stages.findLast((stage) => stage.name?.toLowerCase() === name.toLowerCase());
}
