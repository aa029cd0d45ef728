import { parseDockerfile } from "../dockerfile/parse.ts";
import { UserError } from "../errors.ts";
import type { BaseImage, BuildPlan } from "../plan/build-plan.ts";

/** The image that a plan starts from, where it does nothing else with it than extend it; throws a UserError for a Dockerfile that does. */
export function nativeSource({ source }: BuildPlan): { readonly base: BaseImage } {
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
