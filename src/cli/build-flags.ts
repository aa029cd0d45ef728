import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import type { ViewKind } from "../runtime/build-view.ts";
import { BACKENDS, type Backend, type BuildRequest } from "../workflows/build-request.ts";
import type { Tools } from "../workflows/tools.ts";
import { ENGINE_FLAGS, LOCKFILE_FLAGS, LOG_FLAGS, logSettings, WORKSPACE_FLAGS } from "./flag-groups.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";

/** What profiles are built and run by. */
export const PROFILE_BACKEND_FLAG = {
  type: "string",
  choices: ["auto", "engine", "native"],
  description:
    "Docker or Podman (engine), cooper itself on Linux (native); auto: native where no engine answers (default: COOPER_BACKEND, then auto)",
} as const;

/** The options of `build` and of `plan`. */
export const BUILD_FLAGS = {
  ...WORKSPACE_FLAGS,
  ...ENGINE_FLAGS,
  "image-name": {
    type: "string",
    multiple: true,
    valueHint: "name",
    description: "The image's name (default: derived from what is built)",
  },
  label: { type: "string", multiple: true, valueHint: "name=value", description: "A label to set on the image" },
  platform: {
    type: "string",
    valueHint: "os/arch",
    description: "The platform to build for, or several separated by commas",
  },
  push: { type: "boolean", description: "Push the image to its registry instead of keeping it in the engine" },
  output: {
    type: "string",
    valueHint: "spec",
    description: "Write the image somewhere else, as docker buildx takes it: type=oci,dest=image.tar",
  },
  "cache-from": { type: "string", multiple: true, valueHint: "source", description: "Where to look for cached layers" },
  "cache-to": { type: "string", valueHint: "target", description: "Where to export the build's cache to" },
  "no-cache": { type: "boolean", description: "Build every step again, even if nothing changed" },
  backend: {
    type: "string",
    choices: BACKENDS,
    description:
      "What makes the image: Docker or Podman (engine), cooper itself on Linux (native), cooper where nothing has to run (assemble); auto: native where no engine answers (default: COOPER_BACKEND, then auto)",
  },
  network: {
    type: "string",
    choices: ["host", "none"],
    description: "With the native backend: the network that steps have (default: host)",
  },
  "step-timeout": {
    type: "number",
    valueHint: "seconds",
    description: "With the native backend: how long a step may run (default: as long as it takes)",
  },
  load: {
    type: "boolean",
    description: "With the native and assemble backends: load the image into Docker or Podman, too",
  },
  buildkit: {
    type: "string",
    choices: ["auto", "never"],
    default: "auto",
    description: "Whether BuildKit may be used",
  },
  secret: {
    type: "string",
    multiple: true,
    valueHint: "spec",
    description: "A secret for the Dockerfile's own RUN --mount=type=secret: id=name,src=path",
  },
  ssh: {
    type: "string",
    multiple: true,
    valueHint: "spec",
    description: "An SSH agent or key for RUN --mount=type=ssh: default",
  },
  builder: {
    type: "string",
    valueHint: "name",
    description: "The buildx builder to use (default: BUILDX_BUILDER, then the current one)",
  },
  ...LOCKFILE_FLAGS,
  "skip-persisting-customizations-from-features": {
    type: "boolean",
    description: "Leave Features' customizations out of the image's metadata",
    hidden: true,
  },
  "skip-feature-auto-mapping": {
    type: "boolean",
    description: "Accepted for compatibility; ids are never mapped silently",
    hidden: true,
  },
  "omit-syntax-directive": {
    type: "boolean",
    description: "Leave a Dockerfile's # syntax= line out of the build",
    hidden: true,
  },
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

/** The request that the options make, paths resolved against the current folder. */
export function readBuildRequest(flags: Flags, tools: Tools): BuildRequest {
  const config = flags.string("config");
  const userData = flags.string("user-data-folder");
  return {
    workspaceFolder: resolve(tools.workingDirectory, flags.string("workspace-folder") ?? "."),
    configPath: config === undefined ? undefined : resolve(tools.workingDirectory, config),
    additionalFeatures: flags.string("additional-features"),
    userDataFolder: userData === undefined ? undefined : resolve(tools.workingDirectory, userData),
    dockerPath: flags.string("docker-path"),
    dockerComposePath: flags.string("docker-compose-path"),
    imageNames: flags.list("image-name"),
    labels: flags.list("label"),
    platform: flags.string("platform"),
    push: flags.boolean("push"),
    output: flags.string("output"),
    cacheFrom: flags.list("cache-from"),
    cacheTo: flags.string("cache-to"),
    noCache: flags.boolean("no-cache"),
    buildkit: readBuildkit(flags, tools),
    backend: readBackend(flags, tools),
    network: readNetwork(flags),
    stepTimeout: flags.number("step-timeout"),
    load: flags.boolean("load"),
    secrets: flags.list("secret"),
    ssh: flags.list("ssh"),
    builder: flags.string("builder"),
    lockfile: readLockfileMode(flags, tools),
    omitFeatureCustomizations: flags.boolean("skip-persisting-customizations-from-features"),
    omitSyntaxDirective: flags.boolean("omit-syntax-directive"),
    omitConfigRemoteEnv: false,
  };
}

/** The option, else COOPER_BACKEND. Throws a UserError for a backend that there is not. */
export function readBackend(flags: Flags, { environment }: Pick<Tools, "environment">): Backend {
  const wanted = flags.string("backend") ?? (environment["COOPER_BACKEND"] || "auto");
  const backend = BACKENDS.find((name) => name === wanted);
  if (backend !== undefined) return backend;
  throw new UserError(`COOPER_BACKEND is ${JSON.stringify(wanted)}: wanted one of ${BACKENDS.join(", ")}.`);
}

function readNetwork(flags: Flags): BuildRequest["network"] {
  switch (flags.string("network")) {
    case "host":
      return "host";
    case "none":
      return "none";
    default:
      return undefined;
  }
}

/** Live lines on a terminal, unless the user asked for BuildKit's own progress or for events. */
export function chooseView(flags: Flags, tools: Tools): ViewKind {
  const { format, quiet, level } = logSettings(flags);
  if (quiet) return "none";
  const live = tools.terminal.messagesAreLive && format === "text" && level === "info";
  return live && !tools.environment["BUILDKIT_PROGRESS"] ? "live" : "plain";
}

/** What becomes of the lockfile; warns about deprecated options. */
export function readLockfileMode(flags: Flags, tools: Tools): BuildRequest["lockfile"] {
  for (const [deprecated, instead] of [
    ["experimental-lockfile", "the lockfile is written without it"],
    ["experimental-frozen-lockfile", "use --frozen-lockfile"],
  ] as const) {
    if (flags.boolean(deprecated)) tools.log.warning(`--${deprecated} is deprecated: ${instead}.`);
  }
  const frozen = flags.boolean("frozen-lockfile") || flags.boolean("experimental-frozen-lockfile");
  return flags.boolean("no-lockfile") ? "off" : frozen ? "frozen" : "write";
}

/** Whether BuildKit may be used: not with `--buildkit never`, and not where DOCKER_BUILDKIT turns it off for Docker itself. */
export function readBuildkit(flags: Flags, { environment }: Pick<Tools, "environment">): BuildRequest["buildkit"] {
  const off = environment["DOCKER_BUILDKIT"] === "0" || environment["DOCKER_BUILDKIT"] === "false";
  return off || flags.string("buildkit") === "never" ? "never" : "auto";
}
