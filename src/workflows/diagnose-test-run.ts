import { randomBytes } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { Command } from "../plan/command.ts";
import { type BuildSpec, buildCommands } from "../runtime/build-commands.ts";
import type { Builder } from "../runtime/builder.ts";
import type { TestRun } from "../runtime/diagnosis/check-test-run.ts";
import { testProgram } from "../runtime/diagnosis/test-program.ts";
import { cacheDirectory } from "../store/directories.ts";
import { type Ask, complaintOf } from "./diagnose-ask.ts";
import type { Tools } from "./tools.ts";

const DOCKERFILE = `FROM scratch AS test
COPY program /program
RUN ["/program"]
ENTRYPOINT ["/program"]
`;

/** What to try: an engine by its client, and what builds behind it. */
export interface TestedEngine {
  readonly path: string;
  readonly architecture: string;
  readonly builder: Builder;
}

/** Builds an image of one tiny program with nothing from any registry, runs a container of it, and removes both. */
export async function tryEngine(engine: TestedEngine, { tools, ask }: { tools: Tools; ask: Ask }): Promise<TestRun> {
  const program = testProgram(engine.architecture);
  if (program === undefined) return { kind: "unsupported", architecture: engine.architecture };
  return withTemporaryDirectory(join(cacheDirectory(tools), "builds"), async (directory) => {
    await writeFile(join(directory, "program"), program);
    await chmod(join(directory, "program"), 0o755);
    await writeFile(join(directory, "Dockerfile"), DOCKERFILE);
    const image = `localhost/cooper/doctor:${randomBytes(6).toString("hex")}`;
    try {
      const run: Command = { file: engine.path, args: ["run", "--rm", "--network", "none", image], env: {} };
      const built = await runAll(buildCommands(engine.path, engine.builder, testBuild(directory, image)), ask);
      if (built !== undefined) return { kind: "failed", step: "build", found: built };
      const ran = await runAll([run], ask);
      return ran === undefined ? { kind: "succeeded" } : { kind: "failed", step: "run", found: ran };
    } finally {
      const remove: Command = { file: engine.path, args: ["image", "rm", "--force", image], env: {} };
      await tools.runProcess(remove, { regardless: true, timeoutMilliseconds: ask.limitMilliseconds });
    }
  });
}

function testBuild(directory: string, image: string): BuildSpec {
  return {
    dockerfile: join(directory, "Dockerfile"),
    context: directory,
    target: "test",
    tags: [image],
    namedContexts: {},
    buildArgs: {},
    platform: undefined,
    delivery: { kind: "load" },
    cacheFrom: [],
    cacheTo: undefined,
    noCache: true,
    pull: false,
    secrets: [],
    ssh: [],
    builder: undefined,
    options: [],
    ignoreFile: undefined,
  };
}

/** Runs the commands until one fails; resolves to what that one complained of. */
async function runAll(commands: readonly Command[], ask: Ask): Promise<string | undefined> {
  for (const command of commands) {
    const result = await ask.runProcess(command);
    if (result.exitCode !== 0) return complaintOf(result);
  }
  return undefined;
}
