import { mkdirSync } from "node:fs";
import type { PlannedLayer } from "../assembly/plan-layers.ts";
import { stepKey } from "../assembly/step-key.ts";
import { FEATURES_FOLDER, folderName } from "../dockerfile/step-script.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import { chainIdOf } from "../oci/chain-id.ts";
import type { LocalImageSink } from "../oci/content.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { FeatureStep, LayerStep } from "../plan/build-plan.ts";
import { stepTitle } from "../plan/step-title.ts";
import type { RunningStep, StepProgress } from "../runtime/step-progress.ts";
import { readStep, writeStep } from "../store/step-records.ts";
import { announceStep } from "./announce-step.ts";
import { type CarriedSteps, exportSteps, openCarriedSteps } from "./carry-steps.ts";
import type { NativeBase } from "./native-base.ts";
import { readConfidences } from "./native-secrets.ts";
import type { NativeSession, StoredLayer } from "./native-session.ts";
import { runNativeStep, type StepContext } from "./native-steps.ts";
import type { PreparedBuild } from "./prepare-build.ts";
import type { Tools } from "./tools.ts";
import { type FileContents, fileContents, writeFileLayer } from "./write-file-layer.ts";

/** A build whose base is there and whose layers are to be made. */
export interface LayerWork {
  readonly prepared: PreparedBuild;
  readonly base: NativeBase;
  readonly session: NativeSession;
  readonly sink: LocalImageSink;
  readonly progress: StepProgress;
  readonly epoch: number;
}

/** Variables by which programs find their way out of this machine. */
const MACHINE_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/** Makes each layer on top of those before it: what the store, or another machine, knows under a step's key is taken as it is. */
export async function makeNativeLayers(
  planned: readonly PlannedLayer[],
  work: LayerWork,
  tools: Tools,
): Promise<readonly NewLayer[]> {
  const { session, sink } = work;
  const { cacheFrom, cacheTo, noCache } = work.prepared.request;
  const carried = await openCarriedSteps(noCache ? [] : cacheFrom, { session, sink }, tools);
  try {
    const made = await makeAll(planned, { work, carried }, tools);
    if (cacheTo !== undefined) {
      await exportSteps(new Map(made.map(({ key, layer }) => [key, layer])), { to: cacheTo, session }, tools);
    }
    return made.map(({ layer, title }) => ({ ...layer, createdBy: `cooper: ${title}` }));
  } finally {
    await carried.close();
  }
}

interface MadeLayer {
  readonly key: string;
  readonly title: string;
  readonly layer: NewLayer;
}

async function makeAll(
  planned: readonly PlannedLayer[],
  { work, carried }: { readonly work: LayerWork; readonly carried: CarriedSteps },
  tools: Tools,
): Promise<readonly MadeLayer[]> {
  const { prepared, base, session, sink, progress, epoch } = work;
  const context = stepContext(work, tools);
  const { folder } = session.store;
  const around = {
    users: prepared.plan.users,
    platform: formatPlatform(base.image.platform),
    network: context.network,
    epoch,
  };
  const below: StoredLayer[] = [...base.layers];
  const made: MadeLayer[] = [];
  for (const [index, one] of planned.entries()) {
    const running = progress.begin(`[${index + 1}/${planned.length}] ${announcement(one.step)}`);
    const key = stepKey(one, { ...around, parent: chainIdOf(below.map(({ diffId }) => diffId)) });
    const record = prepared.request.noCache ? undefined : readStep(folder, key);
    // Blobs may have been removed one by one.
    const kept = record !== undefined && (await sink.has(record.descriptor)) ? record : undefined;
    const known = kept ?? (await carried.find(key));
    if (known !== undefined) running.cached();
    const making = { work, below, running, context };
    const layer = known ?? (await announceStep(running, () => makeLayer(one, making, tools)));
    if (kept === undefined) writeStep(folder, key, layer);
    below.push(layer);
    made.push({ key, layer, title: stepTitle(one.step) });
  }
  return made;
}

interface LayerMaking {
  readonly work: LayerWork;
  readonly below: readonly StoredLayer[];
  readonly running: RunningStep;
  readonly context: StepContext;
}

function makeLayer(planned: PlannedLayer, making: LayerMaking, tools: Tools): Promise<NewLayer> {
  const { step } = planned;
  switch (step.kind) {
    case "feature":
    case "user-ids":
    case "packages":
    case "run":
      return runNativeStep(step, { planned, below: making.below, running: making.running }, making.context);
    case "copy":
    case "context": {
      const { prepared, session, sink, epoch } = making.work;
      const temporary = session.newFolder();
      mkdirSync(temporary, { recursive: true });
      const contents: FileContents = { ...fileContents(prepared, tools), temporary, epoch };
      return writeFileLayer(step, { contents, sink });
    }
  }
}

function stepContext({ prepared, session, epoch }: LayerWork, tools: Tools): StepContext {
  const { plan, request, features } = prepared;
  const { environment } = tools;
  const machineEnv = MACHINE_VARIABLES.flatMap((name) => [name, name.toLowerCase()]).flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const contentFolder = (step: FeatureStep) => {
    const feature = features.features.find(({ consecutiveId }) => consecutiveId === step.folder);
    if (feature === undefined) throw new TypeError(`No resolved Feature has the folder ${step.folder}.`);
    return feature.contentFolder;
  };
  return {
    session,
    users: plan.users,
    confidences: readConfidences(request, tools),
    network: request.network ?? "host",
    timeoutSeconds: request.stepTimeout,
    machineEnv: Object.fromEntries(machineEnv),
    epoch,
    contentFolder,
  };
}

/** As a Dockerfile's instruction, by which the views know a Feature's step. */
function announcement(step: LayerStep): string {
  switch (step.kind) {
    case "feature":
      return `RUN cd ${FEATURES_FOLDER}/${folderName(step)} && install ${step.id}`;
    case "user-ids":
    case "packages":
    case "run":
      return `RUN ${stepTitle(step)}`;
    case "copy":
    case "context":
      return `COPY ${stepTitle(step)}`;
  }
}
