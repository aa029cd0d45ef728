import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import { nearestName } from "../nearest-name.ts";
import { GATE_NAMES, type GateName, type GatesRequest, parseGatesRequest } from "../profile/profile-request.ts";
import { runGates } from "../workflows/run-gates.ts";
import type { Tools } from "../workflows/tools.ts";
import { PROFILE_BACKEND_FLAG, readBackend } from "./build-flags.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS } from "./flag-groups.ts";
import type { Flags } from "./flags.ts";
import { printFailure } from "./outcome.ts";
import { REQUEST_FLAGS, readRequestText } from "./profile-request-flags.ts";

/** `profile run`: a profile's gates in its image; exit code 1 when one does not pass. */
export const profileRun: CliCommand = {
  name: "run",
  description: "Run a profile's gates in its image with the repository mounted",
  flags: {
    ...REQUEST_FLAGS,
    "repo-dir": {
      type: "string",
      valueHint: "path",
      description: "The repository; with --profile instead of a request",
    },
    profile: {
      type: "string",
      valueHint: "file",
      description: "The profile; with --repo-dir (default: the current folder) instead of a request",
    },
    image: { type: "string", valueHint: "reference", description: "The image to run in (default: the profile's own)" },
    gates: { type: "string", valueHint: "names", description: "Which gates, separated by commas: test,lint,typecheck" },
    "docker-path": ENGINE_FLAGS["docker-path"],
    backend: PROFILE_BACKEND_FLAG,
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  run: async (flags, tools) => {
    try {
      const request = await readRequest(flags, tools);
      const result = await runGates(
        request,
        { dockerPath: flags.string("docker-path"), backend: readBackend(flags, tools) },
        tools,
      );
      const failed = result.gates.filter(({ status }) => status !== "passed").map(({ gate }) => gate);
      const message = failed.length === 0 ? {} : { message: `Not passed: ${[...new Set(failed)].join(", ")}.` };
      const outcome = failed.length === 0 ? "success" : "error";
      tools.terminal.writeData(`${JSON.stringify({ outcome, ...message, ...result }, null, 2)}\n`);
      return failed.length === 0 ? 0 : 1;
    } catch (error) {
      return printFailure(tools, "An error occurred running the profile's gates.", error);
    }
  },
};

async function readRequest(flags: Flags, tools: Tools): Promise<GatesRequest> {
  const profile = flags.string("profile");
  const repository = flags.string("repo-dir");
  const gates = flags.string("gates");
  const image = flags.string("image");
  if (profile === undefined && repository !== undefined) {
    throw new UserError("--repo-dir goes with --profile.", { hint: "Name the profile's file." });
  }
  const text =
    profile === undefined
      ? await readRequestText(flags, tools)
      : JSON.stringify({
          repo_dir: resolve(tools.workingDirectory, repository ?? "."),
          profile_path: resolve(tools.workingDirectory, profile),
        });
  const request = parseGatesRequest(text);
  return {
    ...request,
    image_tag: image ?? request.image_tag,
    gates_to_run: gates === undefined ? request.gates_to_run : gates.split(",").map(parseGate),
  };
}

function parseGate(text: string): GateName {
  const gate = GATE_NAMES.find((name) => name === text.trim());
  if (gate !== undefined) return gate;
  const nearest = nearestName(text.trim(), GATE_NAMES);
  throw new UserError(
    `--gates: found ${JSON.stringify(text)}; wanted ${GATE_NAMES.join(", ")}${nearest === undefined ? "." : `; did you mean ${nearest}?`}`,
  );
}
