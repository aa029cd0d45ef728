import type { Check } from "./check.ts";
import { type BuilderFacts, checkBuilder } from "./check-builder.ts";
import { type CooperFacts, checkCooper } from "./check-cooper.ts";
import { type CredentialFacts, checkCredentials } from "./check-credentials.ts";
import { checkEngine } from "./check-engine.ts";
import { checkIsolation, type IsolationFacts } from "./check-isolation.ts";
import { checkNetwork, type NetworkFacts } from "./check-network.ts";
import { checkDisks, checkImageStore, type DiskFacts } from "./check-storage.ts";
import { checkTestRun, type TestRun } from "./check-test-run.ts";
import { type EngineChoice, usedEngine } from "./engine-facts.ts";
import type { Machine } from "./machine.ts";

/** Everything that was found out about a machine. */
export interface Facts {
  readonly machine: Machine;
  readonly cooper: CooperFacts;
  readonly engines: EngineChoice;
  /** What builds behind the engine in use; null when there is none, or it did not say. */
  readonly builder: BuilderFacts | null;
  readonly isolation: IsolationFacts;
  readonly credentials: CredentialFacts;
  readonly network: NetworkFacts;
  /** Where the engine in use keeps images, if that is on this machine or the engine says so itself. */
  readonly imageDisk: DiskFacts | undefined;
  readonly cacheDisk: DiskFacts;
  /** undefined when none was asked for. */
  readonly testRun: TestRun | undefined;
}

/** What the facts mean for somebody who wants to build and run containers, in the order in which to mend it. */
export function diagnose(facts: Facts): readonly Check[] {
  const { machine, engines, testRun } = facts;
  const used = usedEngine(engines);
  // What keeps the first choice from answering is worth telling too.
  const examined = used ?? engines.candidates[0];
  return [
    ...checkCooper(facts.cooper, machine),
    ...checkEngine(engines, machine),
    ...(used === undefined ? [] : [checkBuilder(facts.builder, used, machine)]),
    ...(examined === undefined ? [] : checkIsolation(examined, facts.isolation, machine)),
    ...(used === undefined ? [] : checkImageStore(used, machine)),
    ...(used === undefined || testRun === undefined ? [] : [checkTestRun(testRun, used)]),
    ...checkDisks(
      used === undefined || facts.imageDisk === undefined ? undefined : { path: used.path, disk: facts.imageDisk },
      facts.cacheDisk,
    ),
    ...checkCredentials(facts.credentials, used?.kind === "podman"),
    ...checkNetwork(facts.network),
  ];
}
