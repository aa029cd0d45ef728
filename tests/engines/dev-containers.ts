import { afterAll, setDefaultTimeout } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, cooperCommand, type TestEngine } from "./engines.ts";
import { devcontainerJson, writeFiles } from "./workspace.ts";

/** A running container that was made by hand, with the labels of a workspace. */
export interface DevContainer {
  readonly engine: TestEngine;
  readonly id: string;
  /** The workspace on the host; in the container it is `/work`. */
  readonly folder: string;
  /** What cooper remembers is below this. */
  readonly home: string;
}

/** What to make a container of. */
export interface DevContainerWishes {
  /** Its devcontainer.json, to which an image and a workspace folder are added. */
  readonly config?: object;
  /** The entries of its label; the configuration alone when undefined. */
  readonly metadata?: readonly object[];
  /** Shell text, run as root before anything else. */
  readonly setUp?: string;
  readonly runArgs?: readonly string[];
  readonly image?: string;
}

/** What a run of the executable came to, its output byte for byte. */
export interface RawResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Containers that are gone when the file's tests have run; call it where `afterAll` may be called. */
export function openDevContainers() {
  setDefaultTimeout(120_000);
  const root = realpathSync(mkdtempSync(join(tmpdir(), "cooper-containers-")));
  const started: { engine: TestEngine; id: string }[] = [];
  afterAll(async () => {
    for (const { engine, id } of started) {
      // Podman would first wait for what ignores SIGTERM.
      await askEngine(engine, ["kill", id]);
      await askEngine(engine, ["rm", "--force", "--volumes", id]);
    }
    rmSync(root, { recursive: true, force: true });
  });
  return {
    start: async (engine: TestEngine, wishes: DevContainerWishes = {}): Promise<DevContainer> => {
      const folder = mkdtempSync(join(root, "workspace-"));
      const home = mkdtempSync(join(root, "home-"));
      writeFiles(folder, devcontainerJson({ image: BASE_IMAGE, workspaceFolder: "/work", ...wishes.config }));
      const labels = [
        `devcontainer.local_folder=${folder}`,
        `devcontainer.config_file=${folder}/.devcontainer/devcontainer.json`,
        `devcontainer.metadata=${JSON.stringify(wishes.metadata ?? [{ ...wishes.config }])}`,
      ].flatMap((label) => ["--label", label]);
      const words = [
        "run",
        "-d",
        ...labels,
        ...(wishes.runArgs ?? []),
        wishes.image ?? BASE_IMAGE,
        "sleep",
        "infinity",
      ];
      const id = (await runEngine(engine, words)).trim();
      started.push({ engine, id });
      await runEngine(engine, ["exec", "-i", "-u", "0", id, "sh", "-e"], {
        stdin: `mkdir -p /work\nchmod 777 /work\n${wishes.setUp ?? ""}\n`,
      });
      return { engine, id, folder, home };
    },
  };
}

/** Runs the executable in the container's workspace. */
export async function runIn(
  container: DevContainer,
  args: readonly string[],
  options: { readonly stdin?: string | Uint8Array<ArrayBuffer>; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<RawResult> {
  const { command, env } = cooperCommand(args, { ...container, env: options.env ?? {} });
  const child = Bun.spawn(command, {
    cwd: container.folder,
    env,
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.bytes(), child.stderr.text(), child.exited]);
  return { exitCode, stdout: Buffer.from(stdout), stderr };
}

/** The output of a shell line run by `exec`; throws with what was said when it fails. */
export async function shellIn(container: DevContainer, line: string, flags: readonly string[] = []): Promise<string> {
  const { exitCode, stdout, stderr } = await runIn(container, ["exec", ...flags, "sh", "-c", line]);
  if (exitCode !== 0) throw new Error(`ended with ${exitCode}: ${stderr}`);
  return stdout.toString();
}

/** How many processes in a container have a text in their command line. */
export async function processesIn(container: DevContainer, text: string): Promise<number> {
  // The text is read from stdin, so that this process does not find itself.
  const script =
    'read -r text; for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline 2>/dev/null | grep -qF -- "$text" && echo; done; true';
  const lines = await runEngine(container.engine, ["exec", "-i", container.id, "sh", "-c", script], {
    stdin: `${text}\n`,
  });
  return lines.length;
}
