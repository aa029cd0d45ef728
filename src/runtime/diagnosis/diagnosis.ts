import type { Check } from "./check.ts";
import { type BuilderFacts, checkBuilder } from "./check-builder.ts";
import { type CooperFacts, checkCooper } from "./check-cooper.ts";
import { type CredentialFacts, checkCredentials } from "./check-credentials.ts";
import { checkEngine } from "./check-engine.ts";
import { checkIsolation, type IsolationFacts } from "./check-isolation.ts";
import { checkNative, NATIVE_ALONE, nativeWorks, summarizeNative } from "./check-native.ts";
import { checkNetwork, type NetworkFacts } from "./check-network.ts";
import { checkDisks, checkImageStore, type DiskFacts } from "./check-storage.ts";
import { checkTestRun, type TestRun } from "./check-test-run.ts";
import { type EngineChoice, usedEngine } from "./engine-facts.ts";
import type { Machine } from "./machine.ts";
import type { NativeFacts } from "./native-facts.ts";

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
  /** undefined where only docker and podman are asked about. */
  readonly native: NativeFacts | undefined;
}

/** What the facts mean for somebody who wants to build and run containers, in the order in which to mend it. */
export function diagnose(facts: Facts): readonly Check[] {
  const { machine, engines, testRun, native } = facts;
  const used = usedEngine(engines);
  // What keeps the first choice from answering is worth telling too.
  const examined = used ?? engines.candidates[0];
  return [
    ...checkCooper(facts.cooper, machine),
    ...checkEngine(engines, machine).map((check) => withoutEngine(check, facts)),
    ...(used === undefined ? [] : [checkBuilder(facts.builder, used, machine)]),
    ...(examined === undefined ? [] : checkIsolation(examined, facts.isolation, machine)),
    ...(used === undefined ? [] : checkImageStore(used, machine)),
    ...(native === undefined ? [] : summarizeNative(native, used === undefined)),
    ...(used === undefined || testRun === undefined ? [] : [checkTestRun(testRun, used)]),
    ...checkDisks(
      used === undefined || facts.imageDisk === undefined ? undefined : { path: used.path, disk: facts.imageDisk },
      facts.cacheDisk,
    ),
    ...checkCredentials(facts.credentials, used?.kind === "podman"),
    ...checkNetwork(facts.network),
  ];
}

/** The same for cooper's own engine alone. */
export function diagnoseNative(
  facts: Pick<Facts, "machine" | "cooper" | "credentials" | "network" | "cacheDisk"> & { readonly native: NativeFacts },
): readonly Check[] {
  return [
    ...checkCooper(facts.cooper, facts.machine),
    ...checkNative(facts.native, facts.machine),
    ...checkDisks(undefined, facts.cacheDisk),
    ...checkCredentials(facts.credentials, false),
    ...checkNetwork(facts.network),
  ];
}

/** That nobody was named and nobody answers stops only some of the work where cooper's own engine does the rest. */
function withoutEngine(check: Check, { engines, native }: Facts): Check {
  const stops = check.id === "engine" && check.status === "problem" && engines.from === "PATH";
  if (!stops || native === undefined || !nativeWorks(native)) return check;
  return { ...check, status: "warning", detail: `${check.detail}: ${NATIVE_ALONE}` };
}
