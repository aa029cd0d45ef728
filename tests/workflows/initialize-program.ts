import { listenForInterruption } from "../../src/host/interruption.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import { runInitializeCommand } from "../../src/workflows/run-initialize-command.ts";
import { createFakeTools, createRecordingRuntime } from "../fakes/recording-runtime.ts";

/** A program for tests, because only a process of its own can have a terminal: runs an initializeCommand in a folder, as `up` does. */
const [folder = "", initializeCommand = ""] = process.argv.slice(2);
const interruption = listenForInterruption();
const tools = {
  ...createFakeTools(createRecordingRuntime("docker", {}), folder),
  runProcess: createRunProcess(process.env, interruption),
  interruption,
};
const configuration = {
  config: { initializeCommand },
  workspaceFolder: folder,
  configPath: `${folder}/devcontainer.json`,
};
await runInitializeCommand(configuration, { hostCommands: undefined }, tools).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
process.exit(0);
