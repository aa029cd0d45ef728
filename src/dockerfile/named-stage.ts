import type { DockerfileModel, DockerfileStage } from "./dockerfile-model.ts";

/** The name given to a stage that has none, so that a later FROM can start from it. */
export const autoStageName = "dev_container_auto_added_stage_label";

/** The Dockerfile's text with an AS clause on the stage where it has none, and the name that the stage goes by. */
export function withNamedStage(
  model: DockerfileModel,
  stage: DockerfileStage,
  options: { name?: string } = {},
): { text: string; stageName: string } {
  if (stage.name !== undefined) return { text: model.text, stageName: stage.name };
  const stageName = options.name ?? autoStageName;
  const before = model.text.slice(0, stage.imageEnd);
  return { text: `${before} AS ${stageName}${model.text.slice(stage.imageEnd)}`, stageName };
}
