import { formatEpoch, readEpoch } from "../assembly/epoch.ts";
import { planLayers } from "../assembly/plan-layers.ts";
import { planSettings } from "../assembly/plan-settings.ts";
import type { LocalImageSink } from "../oci/content.ts";
import { envRecord } from "../oci/env-entries.ts";
import { parseContainerDefaults } from "../oci/image-config.ts";
import { parseImageReference } from "../oci/reference.ts";
import { parseImageOutput } from "../oci/transport.ts";
import { stepExecutes } from "../plan/build-plan.ts";
import type { StepProgress } from "../runtime/step-progress.ts";
import { announceStep } from "./announce-step.ts";
import { copyImage } from "./copy-image.ts";
import { type Delivery, deliverImage, type NewImage } from "./deliver-image.ts";
import { makeNativeLayers } from "./make-native-layers.ts";
import { obtainNativeBase } from "./native-base.ts";
import { type NativeSession, withNativeSession } from "./native-session.ts";
import { nativeSource } from "./native-source.ts";
import type { PreparedBuild } from "./prepare-build.ts";
import { silentTransfer } from "./pull-into-store.ts";
import type { Tools } from "./tools.ts";
import { writeImages } from "./write-images.ts";

/** Builds a plan step by step on this machine, into cooper's own store, and from there to wherever else it is wanted. */
export async function buildNatively(prepared: PreparedBuild, progress: StepProgress, tools: Tools): Promise<void> {
  const { request, tags } = prepared;
  const references = tags.map(parseImageReference);
  const [reference] = references;
  if (reference === undefined) throw new TypeError("A build has a name.");
  const stored = { kind: "store", reference } as const;
  const { push, load, dockerPath } = request;
  const delivery: Delivery = { output: stored, references, push, load: load === true, dockerPath };
  await withNativeSession(tools, (session) => {
    const write = (sink: LocalImageSink) => realize(prepared, { session, sink, progress }, tools);
    return deliverImage(delivery, { base: undefined, observer: silentTransfer, write }, tools);
  });
  if (request.output === undefined) return;
  const { transport, names } = parseImageOutput(request.output);
  await copyImage(
    {
      source: stored,
      destination: transport,
      references: [...references, ...names.map(parseImageReference)],
      platforms: "all",
      dockerPath,
    },
    tools,
    { observer: silentTransfer },
  );
}

async function realize(
  prepared: PreparedBuild,
  { session, sink, progress }: { session: NativeSession; sink: LocalImageSink; progress: StepProgress },
  tools: Tools,
): Promise<NewImage> {
  const { plan, planHash } = prepared;
  const epoch = readEpoch(tools.environment["SOURCE_DATE_EPOCH"]);
  const created = formatEpoch(epoch);
  const source = nativeSource(plan);
  const step = progress.begin(`[base] FROM ${source.base.reference}`);
  // Steps that another machine made may be all there are.
  const unpacked = prepared.request.cacheFrom.length === 0 && plan.steps.some(stepExecutes);
  const work = { session, created, step, unpacked };
  const base = await announceStep(step, () => obtainNativeBase(source.base, work, tools));
  const { env, workingDirectory } = parseContainerDefaults(base.image.config["config"], "The base's config");
  const baseEnv = envRecord(env);
  const planned = planLayers(plan, { env: baseEnv, workingDirectory });
  const layers = await makeNativeLayers(planned, { prepared, base, session, sink, progress, epoch }, tools);
  return writeImages([base.image], {
    layers,
    base: undefined,
    sink,
    settings: planSettings(plan, { planHash, baseEnv }),
    annotations: {},
    history: { created, createdBy: "cooper build" },
  });
}
