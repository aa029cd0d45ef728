import { resolve } from "node:path";
import { detectRepositoryProfile } from "../workflows/detect-profile.ts";
import { writeArtifact } from "../workflows/profile-artifacts.ts";
import type { CliCommand } from "./command.ts";
import { LOG_FLAGS } from "./flag-groups.ts";
import { printFailure } from "./outcome.ts";

/** `profile detect DIR`: the profile of a repository, on stdout or in a file. */
export const profileDetect: CliCommand = {
  name: "detect",
  description: "Write the profile of a repository from its files: Python, Node, Go or Rust",
  flags: {
    output: { type: "string", valueHint: "file", description: "Write the profile to this file instead of stdout" },
    "python-version": {
      type: "string",
      valueHint: "version",
      description: "The Python to use, whatever the repository says",
    },
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 1 },
  words: "DIR",
  run: async (flags, tools) => {
    try {
      const [folder = "."] = flags.positionals;
      const detected = detectRepositoryProfile(resolve(tools.workingDirectory, folder), flags.string("python-version"));
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
