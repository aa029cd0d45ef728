import { buildImage } from "../workflows/build-image.ts";
import { BUILD_FLAGS, chooseView, readBuildRequest } from "./build-flags.ts";
import type { CliCommand } from "./command.ts";
import { checkLockfileFlags } from "./flag-groups.ts";
import { printOutcome } from "./outcome.ts";

/** `build`: one image of a workspace, its names as JSON on stdout. */
export const build: CliCommand = {
  name: "build",
  description: "Build a dev container image: base image or Dockerfile, extended with Features",
  flags: BUILD_FLAGS,
  // The reference CLI takes a path here and ignores it.
  positionals: { kind: "words", atMost: 1 },
  check: checkLockfileFlags,
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred building the container.", async () => {
      const request = readBuildRequest(flags, tools);
      const { tags, compose } = await buildImage(request, { view: chooseView(flags, tools) }, tools);
      const [name = "", ...others] = tags;
      // As in the reference CLI, a Compose service's image that nobody named is no list.
      return { imageName: compose !== undefined && request.imageNames.length === 0 ? name : [name, ...others] };
    }),
};
