import { parseDockerfile } from "../dockerfile/parse.ts";
import { UserError } from "../errors.ts";
import { type BaseImage, type BuildPlan, stepExecutes } from "../plan/build-plan.ts";
import { refuseForeignPlatform } from "./refuse-for-backend.ts";

/** The image that a plan starts from. Throws a UserError where a Dockerfile does more than extend it, or steps would run on another processor. */
export function nativeSource({ source, steps }: BuildPlan): { readonly base: BaseImage } {
  if (steps.some(stepExecutes)) refuseForeignPlatform(source.base.platform);
  switch (source.kind) {
    case "image":
      return source;
    case "dockerfile": {
      if (isSingleFrom(source.text)) return source;
      throw new UserError("cooper's own engine builds no Dockerfile: Docker and Podman can.", {
        hint: 'Start one of them and use --backend engine, or name a base with "image" in devcontainer.json.',
      });
    }
  }
}

/** Whether nothing but one FROM, and ARGs for it, is in a Dockerfile. */
function isSingleFrom(text: string): boolean {
  const { stages, preamble } = parseDockerfile(text, "Dockerfile");
  const [stage, ...others] = stages;
  if (stage === undefined || others.length > 0) return false;
  const instructions = text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("#")).length;
  return instructions === 1 + preamble.length;
}
