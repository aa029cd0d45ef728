import { mkdirSync } from "node:fs";
import { selectImage } from "../assembly/select-image.ts";
import { UserError } from "../errors.ts";
import { envRecord } from "../oci/env-entries.ts";
import { diffIdsOf, type Image } from "../oci/image.ts";
import { type ContainerDefaults, parseContainerDefaults } from "../oci/image-config.ts";
import { parsePlatform } from "../oci/platform.ts";
import { formatReference, type ImageReference } from "../oci/reference.ts";
import { hostPlatform } from "./look-up-images.ts";
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
    const diffIds = diffIdsOf(image);
    const layers = await session.unpack(
      image.layers.flatMap((descriptor, index) => {
        const diffId = diffIds[index];
        return diffId === undefined ? [] : [{ descriptor, diffId }];
      }),
    );
    const folder = session.newFolder();
    mkdirSync(folder, { recursive: true });
    const terminal = process.stdin.isTTY === true ? { TERM: tools.environment["TERM"] || "xterm" } : {};
    const { exitCode } = await session.sandbox.run(
      {
        folder,
        request: {
          layers: [...layers],
          argv: [...argv],
          env: { PATH: DEFAULT_PATH, ...terminal, ...envRecord(config.env), ...request.env },
          cwd: request.workingDirectory ?? (config.workingDirectory || "/"),
          user: { uid: 0, gid: 0, groups: [] },
          account: request.user ?? config.user,
          binds: [],
          kept: [],
          secrets: [],
          network: request.network,
          stdio: "inherited",
        },
      },
      { stdio: { kind: "inherited", endWith: "SIGKILL" } },
    );
    return exitCode;
  });
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
