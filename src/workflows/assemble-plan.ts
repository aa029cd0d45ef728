import { join } from "node:path";
import { formatEpoch, readEpoch } from "../assembly/epoch.ts";
import { planLayers } from "../assembly/plan-layers.ts";
import { planSettings } from "../assembly/plan-settings.ts";
import { refuseExecution } from "../assembly/refuse-execution.ts";
import { selectImage } from "../assembly/select-image.ts";
import { UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import type { LocalImageSink } from "../oci/content.ts";
import { isDigest } from "../oci/digest.ts";
import { emptyImage } from "../oci/image.ts";
import { parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { TransferObserver } from "../oci/transfer-image.ts";
import { parseImageOutput } from "../oci/transport.ts";
import { cacheDirectory } from "../store/directories.ts";
import { deliverImage } from "./deliver-image.ts";
import { defaultPlatform } from "./look-up-images.ts";
import { openImageSource } from "./open-image-source.ts";
import type { PreparedBuild } from "./prepare-build.ts";
import type { Tools } from "./tools.ts";
import { fileContents, writeFileLayer } from "./write-file-layer.ts";
import { writeImages } from "./write-images.ts";

const unobserved: TransferObserver = { found: () => {}, passed: () => {}, done: () => {} };

/**
 * Makes the image of a plan in which nothing runs, without an engine, with the config that an engine would give it.
 * Throws a UserError when something has to run, or when the image would go nowhere.
 */
export async function assemblePlan(
  prepared: Pick<PreparedBuild, "plan" | "planHash" | "tags" | "request" | "copyFolders" | "source">,
  tools: Tools,
): Promise<void> {
  const { plan, planHash, tags, request } = prepared;
  const source = refuseExecution(plan);
  if (request.output === undefined && !request.push) {
    throw new UserError("--backend assemble knows no engine to keep the image in.", {
      hint: "Add --push true, or --output type=oci,dest=image.tar.",
    });
  }
  const output = request.output === undefined ? undefined : parseImageOutput(request.output);
  const names = [...tags, ...(output?.names ?? [])];
  const platforms = plan.platforms.length === 0 ? [defaultPlatform(tools)] : plan.platforms;
  const epoch = readEpoch(tools.environment["SOURCE_DATE_EPOCH"]);
  const created = formatEpoch(epoch);
  const { reference, digest } = source.base;
  const named = reference === "scratch" ? undefined : parseImageReference(reference);
  const pinned = named !== undefined && isDigest(digest) ? { ...named, digest } : named;
  const base = pinned === undefined ? undefined : await openImageSource({ kind: "registry", reference: pinned }, tools);
  try {
    const images = await Promise.all(
      platforms.map(async (text) => {
        const platform = parsePlatform(text);
        if (base === undefined) return emptyImage(platform, created);
        return selectImage(base, { platform, what: `The base ${reference}` });
      }),
    );
    const history = { created, createdBy: "cooper build" };
    const settings = planSettings(plan, { planHash, baseEnv: {} });
    const write = (sink: LocalImageSink) =>
      withTemporaryDirectory(join(cacheDirectory(tools), "builds"), async (temporary) => {
        const contents = { ...fileContents(prepared, tools), temporary, epoch };
        const layers: NewLayer[] = [];
        for (const { step } of planLayers(plan, { env: {}, workingDirectory: "" })) {
          if (step.kind === "copy" || step.kind === "context")
            layers.push(await writeFileLayer(step, { contents, sink }));
        }
        return writeImages(images, { layers, base, sink, settings, annotations: {}, history });
      });
    await deliverImage(
      {
        output: output?.transport,
        references: names.map(parseImageReference),
        push: request.push,
        load: false,
        dockerPath: request.dockerPath,
      },
      { base, observer: unobserved, write },
      tools,
    );
  } finally {
    await base?.close();
  }
}
