import { posix } from "node:path";
import { selectImage } from "../assembly/select-image.ts";
import { UserError } from "../errors.ts";
import { envRecord } from "../oci/env-entries.ts";
import type { Image } from "../oci/image.ts";
import { type ContainerDefaults, parseContainerDefaults } from "../oci/image-config.ts";
import { parsePlatform } from "../oci/platform.ts";
import { formatReference, type ImageReference } from "../oci/reference.ts";
import type { SandboxStep } from "../runtime/sandbox.ts";
import { UnstartableStep } from "../runtime/sandbox-failure.ts";
import { hostPlatform } from "./look-up-images.ts";
import { storedLayers } from "./native-base.ts";
import { type NativeSession, withNativeSession } from "./native-session.ts";
import type { Tools } from "./tools.ts";

/** What to run in which image of cooper's store; undefined is what the image says. */
export interface RunImageRequest {
  readonly reference: ImageReference;
  /** In the place of the image's command. */
  readonly command: readonly string[];
  /** In the place of the image's entrypoint, whose command then does not count; empty for none. */
  readonly entrypoint: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly network: "host" | "none";
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Runs a command with this process's own streams in a sandbox over an image; what it writes is gone afterwards. Resolves to its exit code. */
export async function runStoredImage(request: RunImageRequest, tools: Tools): Promise<number> {
  const name = formatReference(request.reference);
  return withNativeSession(tools, async (session) => {
    const image = await readStored(request.reference, session);
    const config = parseContainerDefaults(image.config["config"], `The config of ${name}`);
    const argv = commandOf(request, config);
    if (argv.length === 0) {
      throw new UserError(`${name} says nothing about what to run.`, {
        hint: `Name a command: cooper image run ${name} COMMAND`,
      });
    }
    const layers = await session.unpack(storedLayers(image));
    const step: SandboxStep["request"] = {
      layers: [...layers],
      argv: [...argv],
      env: { PATH: DEFAULT_PATH, ...terminalOf(tools), ...envRecord(config.env), ...request.env },
      cwd: request.workingDirectory ?? posix.join("/", config.workingDirectory),
      user: { uid: 0, gid: 0, groups: [] },
      account: request.user ?? config.user,
      binds: [],
      kept: [],
      secrets: [],
      network: request.network,
      stdio: "inherited",
    };
    return runAttached({ folder: session.newFolder(), request: step }, session, tools);
  });
}

/** Exit codes of programs that cannot be started are those of shells and of `docker run`. */
async function runAttached(step: SandboxStep, { sandbox }: NativeSession, { log }: Tools): Promise<number> {
  try {
    // Nothing in there gets a signal that this process gets: its end is all that there is.
    return (await sandbox.run(step, { stdio: { kind: "inherited", endWith: "SIGKILL" } })).exitCode;
  } catch (error) {
    if (!(error instanceof UnstartableStep)) throw error;
    log.error(error.hint === undefined ? error.message : `${error.message}\n${error.hint}`);
    return error.isThere ? 126 : 127;
  }
}

function terminalOf({ environment }: Tools): Record<string, string> {
  return process.stdin.isTTY === true ? { TERM: environment["TERM"] || "xterm" } : {};
}

async function readStored(reference: ImageReference, { store }: NativeSession): Promise<Image> {
  const source = await store.openSource(reference);
  try {
    return await selectImage(source, { platform: parsePlatform(hostPlatform()), what: formatReference(reference) });
  } finally {
    await source.close();
  }
}

/** As `docker run` puts it together. */
export function commandOf(
  { command, entrypoint }: Pick<RunImageRequest, "command" | "entrypoint">,
  config: Pick<ContainerDefaults, "entrypoint" | "command">,
): readonly string[] {
  if (entrypoint !== undefined) return [...(entrypoint === "" ? [] : [entrypoint]), ...command];
  return [...config.entrypoint, ...(command.length > 0 ? command : config.command)];
}
