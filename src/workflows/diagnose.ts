import type { Check } from "../runtime/diagnosis/check.ts";
import type { DiskFacts } from "../runtime/diagnosis/check-storage.ts";
import type { TestRun } from "../runtime/diagnosis/check-test-run.ts";
import { diagnose, diagnoseNative } from "../runtime/diagnosis/diagnosis.ts";
import { type EngineFacts, usedEngine } from "../runtime/diagnosis/engine-facts.ts";
import { cacheDirectory } from "../store/directories.ts";
import { type Ask, createAsk } from "./diagnose-ask.ts";
import { inspectBuilder } from "./diagnose-builder.ts";
import { inspectCredentials } from "./diagnose-credentials.ts";
import { inspectCooper, inspectDisk } from "./diagnose-directories.ts";
import { inspectEngines } from "./diagnose-engine.ts";
import { inspectIsolation, inspectMachine } from "./diagnose-machine.ts";
import { inspectNative } from "./diagnose-native.ts";
import { inspectNetwork } from "./diagnose-network.ts";
import { tryEngine } from "./diagnose-test-run.ts";
import type { Tools } from "./tools.ts";

/** What to examine, and how long each question may take. */
export interface DiagnoseRequest {
  readonly dockerPath: string | undefined;
  /** `engine`: docker and podman; `native`: cooper's own engine; `auto`: the former, and the latter in a line. */
  readonly backend: "auto" | "engine" | "native";
  /** Whether to build an image and run it. */
  readonly testRun: boolean;
  readonly limitMilliseconds: number;
}

const TEST_RUN_LIMIT = 120_000;

/** Examines the machine without changing it, and says what is in order and what is not. */
export async function diagnoseMachine(request: DiagnoseRequest, tools: Tools): Promise<readonly Check[]> {
  return request.backend === "native" ? examineNative(request, tools) : examineEngines(request, tools);
}

async function examineNative({ limitMilliseconds }: DiagnoseRequest, tools: Tools): Promise<readonly Check[]> {
  const ask = createAsk(tools.runProcess, limitMilliseconds);
  const cache = cacheDirectory(tools);
  const [machine, cooper, credentials, network, native, cacheDisk] = await Promise.all([
    inspectMachine(tools),
    inspectCooper(tools),
    inspectCredentials(tools),
    inspectNetwork(tools.environment),
    inspectNative({ tools, ask }, async () => true),
    ask.within<DiskFacts>(inspectDisk(cache), { path: cache, free: undefined }),
  ]);
  return diagnoseNative({ machine, cooper, credentials, network, native, cacheDisk });
}

async function examineEngines(request: DiagnoseRequest, tools: Tools): Promise<readonly Check[]> {
  const ask = createAsk(tools.runProcess, request.limitMilliseconds);
  const cache = cacheDirectory(tools);
  const machine = inspectMachine(tools);
  const unknownDisk: DiskFacts = { path: cache, free: undefined };
  const choosing = machine.then((known) => inspectEngines(request.dockerPath, { tools, ask, machine: known }));
  // Where an engine answers, nobody needs to know that much, and nothing is written.
  const attempt = async () => request.testRun || usedEngine(await choosing) === undefined;
  const [engines, ...others] = await Promise.all([
    choosing.then(async (choice) => ({
      choice,
      ...(await examineUsed(usedEngine(choice), { request, tools, ask })),
    })),
    request.backend === "engine" ? undefined : inspectNative({ tools, ask }, attempt),
    inspectCooper(tools),
    inspectIsolation(),
    inspectCredentials(tools),
    inspectNetwork(tools.environment),
    ask.within(inspectDisk(cache), unknownDisk),
  ]);
  const [native, cooper, isolation, credentials, network, cacheDisk] = others;
  const { choice, builder, imageDisk, testRun } = engines;
  return diagnose({
    machine: await machine,
    ...{ cooper, engines: choice, builder, isolation, credentials, network, imageDisk, cacheDisk, testRun, native },
  });
}

async function examineUsed(
  engine: EngineFacts | undefined,
  { request, tools, ask }: { request: DiagnoseRequest; tools: Tools; ask: Ask },
) {
  if (engine === undefined) return { builder: null, imageDisk: undefined, testRun: undefined };
  const [builder, imageDisk] = await Promise.all([
    inspectBuilder(engine.path, { tools, ask }),
    inspectImageDisk(engine, ask),
  ]);
  let testRun: TestRun | undefined;
  if (request.testRun && builder !== null) {
    const tested = { path: engine.path, architecture: engine.info?.architecture ?? "", builder: builder.builder };
    testRun = await tryEngine(tested, { tools, ask: createAsk(tools.runProcess, TEST_RUN_LIMIT) });
  }
  return { builder, imageDisk, testRun };
}

async function inspectImageDisk({ info, here }: EngineFacts, ask: Ask): Promise<DiskFacts | undefined> {
  if (info?.storagePath === undefined) return undefined;
  const told = info.storageFree === undefined ? undefined : { path: info.storagePath, free: info.storageFree };
  return here && !info.elsewhere ? ask.within(inspectDisk(info.storagePath), told) : told;
}
