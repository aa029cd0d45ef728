import { parseProfileRequest } from "../profile/profile-request.ts";
import { buildProfile } from "../workflows/build-profile.ts";
import { chooseView, PROFILE_BACKEND_FLAG, readBackend } from "./build-flags.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS } from "./flag-groups.ts";
import { printFailure } from "./outcome.ts";
import { REQUEST_FLAGS, readRequestText } from "./profile-request-flags.ts";

/** `profile build`: a request as JSON in, the image of a repository's profile as JSON out. */
export const profileBuild: CliCommand = {
  name: "build",
  description: "Build, reuse or load the image of a repository's profile: a JSON request in, a JSON response out",
  flags: {
    ...REQUEST_FLAGS,
    "base-image": {
      type: "string",
      valueHint: "reference",
      description: "Start from this image instead of the one that the profile asks for",
    },
    "trust-tag": {
      type: "boolean",
      description: "Reuse an image by its name alone, whatever has changed in the repository since",
    },
    buildkit: {
      type: "string",
      choices: ["auto", "never"],
      default: "auto",
      description: "Whether BuildKit may be used",
    },
    "docker-path": ENGINE_FLAGS["docker-path"],
    backend: PROFILE_BACKEND_FLAG,
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  run: async (flags, tools) => {
    try {
      const request = parseProfileRequest(await readRequestText(flags, tools));
      const options = {
        dockerPath: flags.string("docker-path"),
        backend: readBackend(flags, tools),
        baseImage: flags.string("base-image"),
        trustTag: flags.boolean("trust-tag"),
        buildkit: flags.string("buildkit") === "never" ? ("never" as const) : ("auto" as const),
      };
      const response = await buildProfile({ request, options, view: chooseView(flags, tools) }, tools);
      tools.terminal.writeData(`${JSON.stringify(response, null, 2)}\n`);
      return 0;
    } catch (error) {
      return printFailure(tools, "An error occurred building the image of the profile.", error);
    }
  },
};
