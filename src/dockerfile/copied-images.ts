import type { DockerfileModel } from "./dockerfile-model.ts";
import { readInstructions } from "./parse-instructions.ts";

/** The images, as written, that `COPY --from` and `RUN --mount=…,from=` take files from; stages of the Dockerfile are none. */
export function copiedImages(model: DockerfileModel): readonly string[] {
  const stages = new Set(model.stages.flatMap(({ name }) => name?.toLowerCase() ?? []));
  const sources = readInstructions(model.text, model.escapeCharacter).flatMap(({ keyword, arguments: words }) => {
    const flags = /^(?:--\S+\s+)*/.exec(words)?.[0].split(/\s+/) ?? [];
    if (keyword === "COPY") return flags.flatMap((flag) => /^--from=(.+)$/.exec(flag)?.[1] ?? []);
    if (keyword !== "RUN") return [];
    return flags
      .filter((flag) => flag.startsWith("--mount="))
      .flatMap((flag) => /[=,]"?from=([^,"]+)/.exec(flag)?.[1] ?? []);
  });
  // The builder expands no variable there.
  const images = sources.filter((name) => !stages.has(name.toLowerCase()) && !/^\d+$|\$/.test(name));
  return [...new Set(images)];
}
