import { resolve } from "node:path";
import { forwardedPorts } from "../devcontainer/forwarded-ports.ts";
import { parseIdLabels } from "../devcontainer/identity.ts";
import type { Mount } from "../devcontainer/schema.ts";
import { plainBuildRequest } from "../workflows/build-request.ts";
import type { ForwardRequest } from "../workflows/forward-ports.ts";
import type { Tools } from "../workflows/tools.ts";
import { type BroughtUp, bringUp } from "../workflows/up.ts";
import type { UpRequest } from "../workflows/up-request.ts";
import { chooseView, readBuildkit, readLockfileMode } from "./build-flags.ts";
import type { CliCommand } from "./command.ts";
import {
  checkLockfileFlags,
  checkPairFlags,
  checkTerminalFlags,
  ENGINE_FLAGS,
  LOCKFILE_FLAGS,
  LOG_FLAGS,
  MOUNT_FLAGS,
  OVERRIDE_FLAGS,
  SELECT_FLAGS,
  TERMINAL_FLAGS,
  WORKSPACE_FLAGS,
} from "./flag-groups.ts";
import { type FlagDefinitions, type Flags, UsageError } from "./flags.ts";
import { forwardUntilEnd } from "./forward-until-end.ts";
import { printOutcome } from "./outcome.ts";
import { HOOK_FLAGS, HOST_FLAGS, RUN_FLAGS, readRunWishes, SECRETS_FLAGS } from "./run-flags.ts";

const UP_FLAGS = {
  ...WORKSPACE_FLAGS,
  ...OVERRIDE_FLAGS,
  ...ENGINE_FLAGS,
  "id-label": SELECT_FLAGS["id-label"],
  ...MOUNT_FLAGS,
  "workspace-mount-consistency": {
    type: "string",
    choices: ["consistent", "cached", "delegated"],
    default: "cached",
    description: "How strictly a mounted workspace is kept the same on both sides, where the host is not Linux",
  },
  mount: {
    type: "string",
    multiple: true,
    valueHint: "mount",
    description: "A further mount: type=<bind|volume>,source=<source>,target=<target>[,external=<true|false>]",
  },
  "gpu-availability": {
    type: "string",
    choices: ["all", "detect", "none"],
    default: "detect",
    description: "Whether there are GPUs to hand in, for a configuration that asks for one",
  },
  "update-remote-user-uid-default": {
    type: "string",
    choices: ["never", "on", "off"],
    default: "on",
    description: "Whether the remote user gets your ids on Linux, where the configuration does not say",
  },
  "remove-existing-container": {
    type: "boolean",
    description: "Remove the container that there is and make a new one",
  },
  "expect-existing-container": { type: "boolean", description: "Fail if there is no container yet" },
  "build-no-cache": { type: "boolean", description: "Build every step of the image again" },
  "cache-from": { type: "string", multiple: true, valueHint: "source", description: "Where to look for cached layers" },
  "cache-to": { type: "string", valueHint: "target", description: "Where to export the build's cache to" },
  buildkit: {
    type: "string",
    choices: ["auto", "never"],
    default: "auto",
    description: "Whether BuildKit may be used",
  },
  ...RUN_FLAGS,
  ...HOOK_FLAGS,
  "skip-post-create": { type: "boolean", description: "Run no hooks and install no dotfiles" },
  ...SECRETS_FLAGS,
  ...HOST_FLAGS,
  forward: {
    type: "boolean",
    description:
      "Go on and forward the configuration's ports to 127.0.0.1 until the container stops or you press Ctrl-C",
  },
  "ssh-agent": { type: "boolean", description: "Hand your SSH agent in to a new container" },
  "include-configuration": { type: "boolean", description: "Include the configuration in the result" },
  "include-merged-configuration": { type: "boolean", description: "Include the merged configuration in the result" },
  "omit-config-remote-env-from-metadata": {
    type: "boolean",
    description: "Leave remoteEnv out of the container's metadata",
    hidden: true,
  },
  "omit-syntax-directive": {
    type: "boolean",
    description: "Leave a Dockerfile's # syntax= line out of the build",
    hidden: true,
  },
  "skip-feature-auto-mapping": { type: "boolean", description: "Accepted for compatibility", hidden: true },
  ...LOCKFILE_FLAGS,
  ...TERMINAL_FLAGS,
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

const MOUNT_PATTERN = /^type=(bind|volume),source=([^,]+),target=([^,]+)(?:,external=(true|false))?$/;

/** `up`: builds if need be, makes or starts the workspace's container, and runs its hooks. */
export const up: CliCommand = {
  name: "up",
  description: "Make or start this workspace's container, and run its hooks",
  flags: UP_FLAGS,
  positionals: { kind: "words", atMost: 0 },
  check: (flags) => {
    checkPairFlags(flags);
    for (const mount of flags.list("mount")) {
      if (!MOUNT_PATTERN.test(mount)) {
        throw new UsageError(
          "mount must match type=<bind|volume>,source=<source>,target=<target>[,external=<true|false>]",
        );
      }
    }
    checkLockfileFlags(flags);
    checkTerminalFlags(flags);
  },
  run: async (flags, tools) => {
    let up: BroughtUp | undefined;
    const exitCode = await printOutcome(tools, "An error occurred setting up the container.", async () => {
      up = await bringUp(readUpRequest(flags, tools), tools);
      return up.report;
    });
    return up === undefined || !flags.boolean("forward") ? exitCode : forwardUntilEnd(portsOf(up), tools);
  },
};

function portsOf({ raised, entered }: BroughtUp): ForwardRequest {
  return { engine: raised.engine, container: raised.details, ports: forwardedPorts(entered.merged) };
}

function readUpRequest(flags: Flags, tools: Tools): UpRequest {
  const path = (name: string) => {
    const written = flags.string(name);
    return written === undefined ? undefined : resolve(tools.workingDirectory, written);
  };
  const byDefault = flags.string("update-remote-user-uid-default");
  const gpus = flags.string("gpu-availability");
  const place = { workspaceFolder: path("workspace-folder") ?? tools.workingDirectory, configPath: path("config") };
  return {
    build: {
      ...plainBuildRequest(place),
      additionalFeatures: flags.string("additional-features"),
      userDataFolder: path("user-data-folder"),
      dockerPath: flags.string("docker-path"),
      dockerComposePath: flags.string("docker-compose-path"),
      cacheFrom: flags.list("cache-from"),
      cacheTo: flags.string("cache-to"),
      noCache: flags.boolean("build-no-cache"),
      buildkit: readBuildkit(flags, tools),
      lockfile: readLockfileMode(flags, tools),
      omitSyntaxDirective: flags.boolean("omit-syntax-directive"),
      omitConfigRemoteEnv: flags.boolean("omit-config-remote-env-from-metadata"),
      userIds: {
        byDefault: byDefault === "never" || byDefault === "off" ? byDefault : "on",
        host: { platform: process.platform, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      },
    },
    show: { view: chooseView(flags, tools) },
    overrideConfigPath: path("override-config"),
    mountFlags: {
      gitRoot: flags.boolean("mount-workspace-git-root"),
      worktreeCommonDirectory: flags.boolean("mount-git-worktree-common-dir"),
      consistency: flags.string("workspace-mount-consistency"),
    },
    idLabels: parseIdLabels(flags.list("id-label")),
    mounts: flags.list("mount").map(readMount),
    gpuAvailability: gpus === "all" || gpus === "none" ? gpus : "detect",
    sshAgent: flags.boolean("ssh-agent"),
    removeExisting: flags.boolean("remove-existing-container"),
    expectExisting: flags.boolean("expect-existing-container"),
    run: readRunWishes(flags, tools, UP_FLAGS),
    includeConfiguration: flags.boolean("include-configuration"),
    includeMerged: flags.boolean("include-merged-configuration"),
  };
}

function readMount(text: string): Mount {
  const [, type = "", source = "", target = "", external] = MOUNT_PATTERN.exec(text) ?? [];
  return { type, source, target, ...(external === undefined ? {} : { external: external === "true" }) };
}
