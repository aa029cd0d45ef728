import { resolve } from "node:path";
import { selectImage } from "../assembly/select-image.ts";
import { envRecord } from "../oci/env-entries.ts";
import { parseContainerDefaults } from "../oci/image-config.ts";
import { parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import { type BuildPlan, PLAN_VERSION } from "../plan/build-plan.ts";
import { createBuildView } from "../runtime/build-view.ts";
import type { Engine } from "../runtime/engine.ts";
import { GATE_WORKSPACE, type GateContainer } from "../runtime/gate-command.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import { StepTimedOut } from "../runtime/sandbox-failure.ts";
import { createStepProgress } from "../runtime/step-progress.ts";
import { buildNatively } from "./build-natively.ts";
import { plainBuildRequest } from "./build-request.ts";
import { copyImage } from "./copy-image.ts";
import { baseFactsOf, hostPlatform } from "./look-up-images.ts";
import { storedLayers } from "./native-base.ts";
import { withNativeSession } from "./native-session.ts";
import { DEFAULT_ENV, FailedStep } from "./native-steps.ts";
import { plannedBuild } from "./planned-build.ts";
import type { AttemptEnd, BuildAttempt, GateEnd, GateLimits, ProfileEngine } from "./profile-engine.ts";
import { silentTransfer } from "./pull-into-store.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import { explainProfileFailure } from "./run-profile-build.ts";
import type { Tools } from "./tools.ts";

/** The last part is what an error is about; the retry rules look at it too. */
const TAIL_CHARACTERS = 1024 * 1024;

/** cooper's own engine, and which of the images it was asked about its store has. */
export interface NativeProfiles {
  readonly engine: Engine;
  readonly images: ReadonlyMap<string, LocalImage>;
}

/** cooper's own engine as what profiles are built and run on. */
export function createNativeProfileEngine({ engine, images }: NativeProfiles, tools: Tools): ProfileEngine {
  const copy = (source: Parameters<typeof copyImage>[0]["source"], destination: typeof source) =>
    copyImage({ source, destination, references: [], platforms: "all", dockerPath: undefined }, tools, {
      observer: silentTransfer,
    });
  return {
    findBase: (reference) => baseFactsOf({ reference, platform: undefined }, { engine, images }, tools),
    build: (attempt) => buildAttempt(attempt, { engine, images }, tools),
    async saveArchive(tag, path) {
      const reference = parseImageReference(tag);
      await copy({ kind: "store", reference }, { kind: "docker-archive", path: resolve(path), name: tag });
    },
    async loadArchive(path, names) {
      const [wanted] = names;
      if (wanted === undefined) return undefined;
      const reference = parseImageReference(wanted);
      await copy({ kind: "docker-archive", path: resolve(path), name: undefined }, { kind: "store", reference });
      return (await engine.inspectImages([wanted])).get(wanted);
    },
    runGate: (gate, limits) => runNativeGate(gate, limits, tools),
  };
}

async function buildAttempt(attempt: BuildAttempt, profiles: NativeProfiles, tools: Tools): Promise<AttemptEnd> {
  const { planned, log, view: kind } = attempt;
  const now = () => performance.now();
  const view = createBuildView(kind, [], { terminal: tools.terminal, log: tools.log, now });
  let output = "";
  const progress = createStepProgress((text) => {
    output = (output + text).slice(-TAIL_CHARACTERS);
    log(text);
    view.onOutput(text);
  }, now);
  log(`==> ${planned.variant.name}: cooper build --backend native\n`);
  try {
    await buildNatively(preparedOf(attempt, profiles), progress, tools);
    return { kind: "built" };
  } catch (error) {
    if (!(error instanceof FailedStep)) throw error;
    const end = { exitCode: error.exitCode, output, steps: view.end() };
    return { kind: "failed", output, error: explainProfileFailure(error.command, end, planned.dockerfile.installs) };
  } finally {
    view.end();
  }
}

/** The variant's steps on its base; the image has the hash of the plan that every engine goes by. */
function preparedOf(attempt: BuildAttempt, { engine, images }: NativeProfiles) {
  const { planned, base, repository, ignore, tag, noCache } = attempt;
  const { source } = planned.plan;
  if (source.kind !== "dockerfile") throw new TypeError("A profile is planned as a Dockerfile.");
  const plan: BuildPlan = {
    version: PLAN_VERSION,
    source: { kind: "image", base: { reference: base.reference, digest: base.digest, platform: base.platform } },
    platforms: [],
    // No instruction of the Dockerfile says another one either.
    users: { ...planned.plan.users, image: base.user },
    steps: planned.dockerfile.steps(source.contextDigest),
  };
  const resolved: ResolvedSource = {
    plan: plan.source,
    base,
    user: base.user,
    files: { context: repository, dockerfileIgnore: ignore, namedContexts: {} },
    frontend: { syntax: undefined },
    pullable: false,
    cacheFrom: [],
    engine,
    images,
  };
  const request = { ...plainBuildRequest({ workspaceFolder: repository, configPath: undefined }), noCache };
  const decided = plannedBuild(plan, { request, source: resolved, tags: [tag], image: undefined, copyFolders: {} });
  return { ...decided, planHash: planned.planHash };
}

/** Runs a gate over the image's layers; what it changes outside the repository is gone afterwards. */
async function runNativeGate(
  gate: GateContainer,
  { timeoutMilliseconds, onOutput }: GateLimits,
  tools: Tools,
): Promise<GateEnd> {
  return withNativeSession(tools, async (session) => {
    const source = await session.store.openSource(parseImageReference(gate.image));
    try {
      const image = await selectImage(source, { platform: parsePlatform(hostPlatform()), what: gate.image });
      const { env, user } = parseContainerDefaults(image.config["config"], `The config of ${gate.image}`);
      const layers = await session.unpack(storedLayers(image));
      const { exitCode } = await session.sandbox.run(
        {
          folder: session.newFolder(),
          timeoutSeconds: timeoutMilliseconds / 1000,
          request: {
            layers: [...layers],
            argv: ["/bin/sh", gate.login ? "-lc" : "-c", gate.command],
            env: { PATH: DEFAULT_ENV.PATH, ...envRecord(env) },
            cwd: GATE_WORKSPACE,
            user: { uid: 0, gid: 0, groups: [] },
            account: user,
            binds: [{ source: gate.repository, target: GATE_WORKSPACE, readOnly: false }],
            kept: gate.kept.map((folder) => `${GATE_WORKSPACE}/${folder}`),
            secrets: [],
            network: "host",
            stdio: "output",
          },
        },
        { onOutput },
      );
      return { kind: "ended", exitCode };
    } catch (error) {
      if (error instanceof StepTimedOut) return { kind: "timed_out" };
      throw error;
    } finally {
      await source.close();
    }
  });
}
