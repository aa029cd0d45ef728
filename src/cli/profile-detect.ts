import { resolve } from "node:path";
import { type DetectionRequest, parseDetectionRequest } from "../profile/detection-request.ts";
import { detectRepositoryProfile } from "../workflows/detect-profile.ts";
import { writeArtifact } from "../workflows/profile-artifacts.ts";
import type { Tools } from "../workflows/tools.ts";
import type { CliCommand } from "./command.ts";
import { LOG_FLAGS } from "./flag-groups.ts";
import { type Flags, UsageError } from "./flags.ts";
import { printFailure } from "./outcome.ts";
import { readRequestText } from "./profile-request-flags.ts";

/** `profile detect DIR`: the profile of a repository, on stdout or in a file. */
export const profileDetect: CliCommand = {
  name: "detect",
  description: "Write the profile of a repository from its files: Python, Node, Go or Rust",
  flags: {
    output: { type: "string", valueHint: "file", description: "Write the profile to this file instead of stdout" },
    request: {
      type: "string",
      valueHint: "file",
      description: 'Read a JSON request from this file ("-": stdin) instead of naming the folder',
    },
    "python-version": {
      type: "string",
      valueHint: "version",
      description: "The Python to use, whatever the repository says",
    },
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 1 },
  words: "DIR",
  check: (flags) => {
    if (flags.string("request") === undefined || flags.positionals.length === 0) return;
    throw new UsageError("--request names the folder itself, as repo_dir: leave the word out.");
  },
  run: async (flags, tools) => {
    try {
      const detected = detectRepositoryProfile(await readRequest(flags, tools), tools);
      const text = `${JSON.stringify(detected, null, 2)}\n`;
      const output = flags.string("output");
      if (output === undefined) {
        tools.terminal.writeData(text);
        return 0;
      }
      const path = resolve(tools.workingDirectory, output);
      writeArtifact(path, text);
      const { profile_id, profile } = detected;
      const document = { outcome: "success", profile_path: path, profile_id, status: profile.status };
      tools.terminal.writeData(`${JSON.stringify(document)}\n`);
      return 0;
    } catch (error) {
      return printFailure(tools, "An error occurred detecting the profile.", error);
    }
  },
};

async function readRequest(flags: Flags, tools: Tools): Promise<DetectionRequest> {
  const [folder = "."] = flags.positionals;
  const asked =
    flags.string("request") === undefined
      ? { repo_dir: folder, explicit_python_version: null, overrides: null }
      : parseDetectionRequest(await readRequestText(flags, tools));
  return { ...asked, explicit_python_version: flags.string("python-version") ?? asked.explicit_python_version };
}
