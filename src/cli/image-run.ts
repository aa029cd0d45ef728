import { UserError } from "../errors.ts";
import { parseImageReference } from "../oci/reference.ts";
import { type RunImageRequest, runStoredImage } from "../workflows/run-stored-image.ts";
import type { Tools } from "../workflows/tools.ts";
import type { CliCommand } from "./command.ts";
import { LOG_FLAGS } from "./flag-groups.ts";
import { type Flags, UsageError } from "./flags.ts";

const STORE = "store:";

/** `image run NAME [COMMAND…]`: everything from the name on is the image and what runs in it; the exit code is the command's. */
export const imageRun: CliCommand = {
  name: "run",
  description: "Run a command in an image of cooper's own store, without an engine; what it writes is gone afterwards",
  flags: {
    env: {
      type: "string",
      multiple: true,
      short: "e",
      valueHint: "name=value",
      description: "A variable beside the image's; a name alone takes the value that it has here",
    },
    user: {
      type: "string",
      short: "u",
      valueHint: "user[:group]",
      description: "Names of the image or numbers (default: the image's)",
    },
    workdir: { type: "string", short: "w", valueHint: "path", description: "Where it starts (default: the image's)" },
    entrypoint: {
      type: "string",
      mayBeEmpty: true,
      valueHint: "program",
      description: "In the place of the image's; empty for none",
    },
    network: {
      type: "string",
      choices: ["host", "none"],
      default: "host",
      description: "The network of this machine, or none but its own loopback",
    },
    ...LOG_FLAGS,
  },
  positionals: { kind: "verbatim" },
  words: "image [command...]",
  check: (flags) => {
    if (flags.positionals.length === 0) throw new UsageError("Not enough arguments: wanted an image.");
    if (flags.list("env").some((entry) => entry.startsWith("="))) throw new UsageError("--env wants NAME=value.");
  },
  run: (flags, tools) => runStoredImage(readRequest(flags, tools), tools),
};

function readRequest(flags: Flags, { environment }: Tools): RunImageRequest {
  const [image = "", ...command] = flags.positionals;
  const workingDirectory = flags.string("workdir");
  if (workingDirectory !== undefined && !workingDirectory.startsWith("/")) {
    throw new UserError(`--workdir is ${workingDirectory}: wanted a path of the image that begins with a slash.`);
  }
  const env = flags.list("env").flatMap((entry) => {
    const equals = entry.indexOf("=");
    if (equals !== -1) return [[entry.slice(0, equals), entry.slice(equals + 1)] as const];
    const value = environment[entry];
    return value === undefined ? [] : [[entry, value] as const];
  });
  return {
    reference: parseImageReference(image.startsWith(STORE) ? image.slice(STORE.length) : image),
    command,
    entrypoint: flags.string("entrypoint"),
    env: Object.fromEntries(env),
    user: flags.string("user"),
    workingDirectory,
    network: flags.string("network") === "none" ? "none" : "host",
  };
}
