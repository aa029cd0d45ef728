import { formatEpoch, readEpoch } from "../assembly/epoch.ts";
import { planSettings } from "../assembly/plan-settings.ts";
import { selectImage } from "../assembly/select-image.ts";
import { UserError } from "../errors.ts";
import { isDigest } from "../oci/digest.ts";
import { emptyImage } from "../oci/image.ts";
import { parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { TransferObserver } from "../oci/transfer-image.ts";
import { parseImageOutput } from "../oci/transport.ts";
import { deliverImage } from "./deliver-image.ts";
import { defaultPlatform } from "./look-up-images.ts";
import { openImageSource } from "./open-image-source.ts";
import type { PreparedBuild } from "./prepare-build.ts";
import type { Tools } from "./tools.ts";
import { writeImages } from "./write-images.ts";

const unobserved: TransferObserver = { found: () => {}, passed: () => {}, done: () => {} };

/**
 * Makes the image of a plan in which nothing runs, without an engine, with the config that an engine would give it.
 * Throws a UserError when something has to run, or when the image would go nowhere.
 */
export async function assemblePlan(
  { plan, planHash, tags, request }: Pick<PreparedBuild, "plan" | "planHash" | "tags" | "request">,
  tools: Tools,
): Promise<void> {
  const { source, settings } = planSettings(plan, planHash);
  if (request.output === undefined && !request.push) {
    throw new UserError("--backend assemble knows no engine to keep the image in.", {
      hint: "Add --push true, or --output type=oci,dest=image.tar.",
    });
  }
  const output = request.output === undefined ? undefined : parseImageOutput(request.output);
  const names = [...tags, ...(output?.names ?? [])];
  const platforms = plan.platforms.length === 0 ? [defaultPlatform(tools)] : plan.platforms;
  const created = formatEpoch(readEpoch(tools.environment["SOURCE_DATE_EPOCH"]));
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
    await deliverImage(
      {
        output: output?.transport,
        references: names.map(parseImageReference),
        push: request.push,
        load: false,
        dockerPath: request.dockerPath,
      },
      {
        base,
        observer: unobserved,
        write: (sink) => writeImages(images, { layers: [], base, sink, settings, annotations: {}, history }),
      },
      tools,
    );
  } finally {
    await base?.close();
  }
}
