import { mkdtempSync, rmSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { uninterrupted } from "../../src/host/interruption.ts";
import { createLog } from "../../src/host/log.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import type { Terminal } from "../../src/host/terminal.ts";
import type { Tools } from "../../src/workflows/tools.ts";

const silent: Terminal = {
  writeData: () => {},
  writeMessage: () => {},
  messagesAreLive: false,
  dataIsLive: false,
  colors: false,
  columns: () => 80,
};

/** A home of its own: a directory that is gone after the test, and tools that see nothing of the machine's environment. */
export async function withHome(
  files: Readonly<Record<string, string>>,
  use: (home: string, toolsWith: (environment: Record<string, string>) => Tools) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "cooper-doctor-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), text);
      if (text.startsWith("#!")) await chmod(join(home, path), 0o755);
    }
    await use(home, (environment) => ({
      environment,
      workingDirectory: home,
      homeDirectory: home,
      terminal: silent,
      log: createLog(silent, { level: "error", format: "text", quiet: true }, () => 0),
      runProcess: createRunProcess(environment, uninterrupted),
      interruption: uninterrupted,
    }));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
