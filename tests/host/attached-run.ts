import { listenForInterruption } from "../../src/host/interruption.ts";
import { createRunProcess, type Stdio } from "../../src/host/spawn.ts";

/** A program for tests: runs its arguments as cooper would run a client, says how that ended on stderr, and exits likewise. */
const [kind, file = "", ...args] = process.argv.slice(2);
const stdio: Stdio = kind === "terminal" ? { kind, columns: 71, rows: 22 } : { kind: "inherited" };
const runProcess = createRunProcess(process.env, listenForInterruption());
const { exitCode, signal } = await runProcess(
  { file, args, env: { GREETING: "hello" } },
  { stdio, onOutput: (text) => process.stderr.write(text) },
);
process.stderr.write(`exit code ${exitCode}, signal ${signal}\n`);
process.exit(exitCode);
