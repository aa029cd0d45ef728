import { availableParallelism } from "node:os";
import { readEpoch } from "../assembly/epoch.ts";
import { readPairs, readPort, readWords } from "../assembly/image-settings.ts";
import { readOwner, readPrefix } from "../assembly/layer-member.ts";
import { UserError } from "../errors.ts";
import { type Compression, type GzipLevel, gzipLevels } from "../host/compress.ts";
import { formatPlatform, normalizePlatform, type Platform, parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import { parseImageOutput, parseImageTransport } from "../oci/transport.ts";
import type { AssembleRequest } from "../workflows/assemble-request.ts";
import type { Tools } from "../workflows/tools.ts";
import { ENGINE_FLAGS, LOG_FLAGS } from "./flag-groups.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";
import { REGISTRY_FLAGS } from "./registry-flags.ts";

/** What a new image's config and manifest say. */
const SETTINGS_FLAGS = {
  env: {
    type: "string",
    multiple: true,
    valueHint: "NAME=value",
    description: "A variable of the image's environment",
  },
  label: { type: "string", multiple: true, valueHint: "name=value", description: "A label of the image" },
  annotation: {
    type: "string",
    multiple: true,
    valueHint: "name=value",
    description: "An annotation of the manifest, and of the index if there is one",
  },
  entrypoint: {
    type: "string",
    valueHint: "words",
    description: 'The entrypoint: one word, or a JSON array like ["/app","--serve"]',
  },
  cmd: { type: "string", valueHint: "words", description: "The default command, written like the entrypoint" },
  workdir: { type: "string", valueHint: "path", description: "The working directory" },
  user: { type: "string", valueHint: "user", description: "The user: a name or uid[:gid]" },
  expose: { type: "string", multiple: true, valueHint: "port", description: "A port that is served: 8080 or 53/udp" },
} as const satisfies FlagDefinitions;

/** Where a new image goes. */
const DELIVERY_FLAGS = {
  output: {
    type: "string",
    short: "o",
    valueHint: "place",
    description:
      "Where to: FILE.tar (OCI layout and docker-loadable), oci:DIR, oci-archive:FILE, docker-archive:FILE, engine:NAME, store:NAME, a reference, or type=oci|docker,dest=FILE",
  },
  tag: { type: "string", short: "t", multiple: true, valueHint: "name", description: "A name for the image" },
  push: { type: "boolean", description: "Push the image to the registries of its names" },
  load: { type: "boolean", description: "Load the image into docker or podman" },
  "docker-path": ENGINE_FLAGS["docker-path"],
} as const satisfies FlagDefinitions;

/** How content becomes layers. */
const LAYER_FLAGS = {
  prefix: {
    type: "string",
    default: "/",
    valueHint: "path",
    description: "Where in the image a folder's content goes",
  },
  chown: {
    type: "string",
    default: "0:0",
    valueHint: "uid:gid",
    description: 'Who owns it; "keep" for the files\' owners',
  },
  exclude: {
    type: "string",
    multiple: true,
    valueHint: "pattern",
    description: "What to leave out, as in a .dockerignore",
  },
  timestamps: {
    type: "string",
    choices: ["epoch", "clamp"],
    default: "epoch",
    description: "Whether all times are SOURCE_DATE_EPOCH (0 without it), or only later ones",
  },
  compression: {
    type: "string",
    choices: ["gzip", "zstd", "none"],
    default: "gzip",
    description: "How layers are compressed",
  },
  "compression-level": {
    type: "number",
    valueHint: "level",
    description: "gzip: 1 to 12, default 6; zstd: 1 to 19, default 3",
  },
} as const satisfies FlagDefinitions;

/** The options of `image assemble`. */
export const ASSEMBLE_FLAGS = {
  ...DELIVERY_FLAGS,
  base: {
    type: "string",
    default: "scratch",
    valueHint: "image",
    description: "What the layer goes on: a reference, oci:DIR, an archive, engine:NAME, store:NAME or scratch",
  },
  platform: {
    type: "string",
    multiple: true,
    valueHint: "os/arch",
    description: "What it is for, several with commas: they give an index (default: this machine's)",
  },
  ...SETTINGS_FLAGS,
  ...LAYER_FLAGS,
  ...REGISTRY_FLAGS,
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

/** The options of `image append`. */
export const APPEND_FLAGS = {
  ...DELIVERY_FLAGS,
  platform: {
    type: "string",
    multiple: true,
    valueHint: "os/arch",
    description: "Which of the base's platforms, several with commas (default: all)",
  },
  ...SETTINGS_FLAGS,
  ...LAYER_FLAGS,
  ...REGISTRY_FLAGS,
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

/** The request that `image assemble`'s options make; throws a UserError for a value that is not what the option takes. */
export function readAssembleRequest(flags: Flags, tools: Tools): AssembleRequest {
  const base = parseImageTransport(flags.string("base") ?? "scratch");
  const platforms = readPlatforms(flags.list("platform")) ?? [machinePlatform()];
  const common = readCommon(flags, tools);
  return { ...common, base, platforms, contents: flags.positionals, createdBy: "cooper image assemble" };
}

/** The request that `image append`'s options make; throws a UserError for a value that is not what the option takes. */
export function readAppendRequest(flags: Flags, tools: Tools): AssembleRequest {
  const [written = "", ...contents] = flags.positionals;
  const base = parseImageTransport(written);
  const platforms = readPlatforms(flags.list("platform"));
  return { ...readCommon(flags, tools), base, platforms, contents, createdBy: "cooper image append" };
}

function machinePlatform(): Platform {
  return normalizePlatform({ os: "linux", architecture: process.arch });
}

function readCommon(
  flags: Flags,
  tools: Tools,
): Omit<AssembleRequest, "base" | "platforms" | "contents" | "createdBy"> {
  const output = flags.string("output");
  const { transport, names } = output === undefined ? { transport: undefined, names: [] } : parseImageOutput(output);
  return {
    references: [...flags.list("tag"), ...names].map(parseImageReference),
    output: transport,
    push: flags.boolean("push"),
    load: flags.boolean("load"),
    dockerPath: flags.string("docker-path"),
    settings: readSettings(flags),
    annotations: readPairs(flags.list("annotation"), "annotation"),
    prefix: readPrefix(flags.string("prefix") ?? ""),
    owner: readOwner(flags.string("chown") ?? "0:0"),
    exclude: flags.list("exclude"),
    epoch: readEpoch(tools.environment["SOURCE_DATE_EPOCH"]),
    clamp: flags.string("timestamps") === "clamp",
    compression: readCompression(flags.string("compression"), flags.number("compression-level")),
    parallelism: availableParallelism(),
  };
}

function readSettings(flags: Flags): AssembleRequest["settings"] {
  readPairs(flags.list("env"), "env");
  const [entrypoint, command] = [flags.string("entrypoint"), flags.string("cmd")];
  const workingDirectory = flags.string("workdir");
  if (workingDirectory?.startsWith("/") === false) {
    throw new UserError(`--workdir was given ${JSON.stringify(workingDirectory)}: wanted an absolute path.`);
  }
  return {
    env: flags.list("env"),
    labels: readPairs(flags.list("label"), "label"),
    entrypoint: entrypoint === undefined ? undefined : readWords(entrypoint, "entrypoint"),
    command: command === undefined ? undefined : readWords(command, "cmd"),
    workingDirectory,
    user: flags.string("user"),
    exposedPorts: flags.list("expose").map(readPort),
  };
}

function readPlatforms(written: readonly string[]): Platform[] | undefined {
  const texts = written.flatMap((text) => text.split(","));
  if (texts.length === 0) return undefined;
  const parsed = texts.map(parsePlatform);
  const platforms = [...new Map(parsed.map((platform) => [formatPlatform(platform), platform])).values()];
  for (const platform of platforms) {
    if (platform.os !== "linux") {
      throw new UserError(`--platform was given ${JSON.stringify(platform.os)}: images are assembled for linux.`);
    }
  }
  return platforms;
}

function readCompression(kind: string | undefined, level: number | undefined): Compression {
  if (kind === "none") {
    if (level === undefined) return { kind: "none" };
    throw new UserError("--compression-level is for gzip and zstd.");
  }
  if (kind === "zstd") {
    if (level !== undefined && (level < 1 || level > 19)) throw wrongLevel("zstd", { level, highest: 19 });
    return { kind: "zstd", level: level ?? 3 };
  }
  const known: GzipLevel | undefined = gzipLevels.find((candidate) => candidate === (level ?? 6));
  if (known === undefined) throw wrongLevel("gzip", { level, highest: 12 });
  return { kind: "gzip", level: known };
}

function wrongLevel(kind: string, { level, highest }: { level: number | undefined; highest: number }): UserError {
  return new UserError(`--compression-level was given ${level}: for ${kind} it is 1 to ${highest}.`);
}
