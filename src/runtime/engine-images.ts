import * as v from "valibot";
import { UserError } from "../errors.ts";
import type { FoundImage } from "../plan/made-images.ts";
import { PLAN_LABEL } from "../plan/plan-hash.ts";
import { readContainerInspection } from "./container-details.ts";
import type { Engine } from "./engine.ts";
import { answerOf } from "./engine-answer.ts";

const inspection = v.array(
  v.object({
    Id: v.string(),
    // Podman alone prints it.
    Digest: v.optional(v.string()),
    RepoTags: v.nullish(v.array(v.string()), []),
    Created: v.nullish(v.string()),
    Size: v.nullish(v.number(), 0),
    Config: v.nullish(v.object({ Labels: v.nullish(v.record(v.string(), v.string()), {}) })),
    RootFS: v.nullish(v.object({ Layers: v.nullish(v.array(v.string()), []) })),
    // Docker's own: when it got its last name here.
    Metadata: v.nullish(v.object({ LastTagTime: v.nullish(v.string()) })),
  }),
);

const ATTEMPTS = 4;

/** The images of an engine's store with cooper's label, by their own or by a base's. */
export async function listLabelledImages(engine: Engine): Promise<readonly FoundImage[]> {
  const args = ["image", "ls", "--quiet", "--no-trunc", "--filter", `label=${PLAN_LABEL}`];
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
    const { exitCode, stdout, stderr } = await engine.ask(args);
    if (exitCode === 0) return inspectFound(engine, linesOf(stdout));
    // Podman fails when one of the images is removed while it lists them.
    if (!/locating item|image not known|no such image|does not exist/i.test(stderr)) break;
  }
  return inspectFound(engine, linesOf(await answerOf(engine, args)));
}

/** The images that these names or ids lead to in an engine's store; what is not there is left out. */
export async function inspectFound(engine: Engine, references: readonly string[]): Promise<readonly FoundImage[]> {
  const wanted = [...new Set(references)];
  if (wanted.length === 0) return [];
  // One that was removed meanwhile is missing from the answer, which is as it should be.
  const { stdout } = await engine.ask(["image", "inspect", ...wanted]);
  return readFoundImages(stdout);
}

/** The images that `image inspect` printed; throws a UserError when the text is not such an answer. */
export function readFoundImages(text: string): readonly FoundImage[] {
  const read = v.safeParse(inspection, parseJson(text));
  if (!read.success) {
    throw new UserError(
      "Could not read the engine's answer to `image inspect`: it is not the JSON of a list of images.",
    );
  }
  return read.output.map((image) => ({
    id: image.Id.replace(/^sha256:/, ""),
    where: image.Digest === undefined ? "docker" : "podman",
    names: (image.RepoTags ?? []).filter((name) => !name.includes("<none>")),
    created: image.Created ?? undefined,
    time: Math.max(...[image.Created, image.Metadata?.LastTagTime].map(timeOf)),
    size: image.Size ?? 0,
    labels: image.Config?.Labels ?? {},
    layers: image.RootFS?.Layers ?? [],
  }));
}

/** The names of the containers, running or not, that were made from images, by image id. */
export async function containersByImage(engine: Engine): Promise<ReadonlyMap<string, readonly string[]>> {
  const ids = linesOf(await answerOf(engine, ["ps", "--all", "--quiet", "--no-trunc"]));
  if (ids.length === 0) return new Map();
  const { stdout } = await engine.ask(["inspect", "--type", "container", ...ids]);
  const byImage = new Map<string, string[]>();
  for (const { image, name } of readContainerInspection(stdout)) {
    const id = image.id.replace(/^sha256:/, "");
    byImage.set(id, [...(byImage.get(id) ?? []), name]);
  }
  return byImage;
}

/** Removes an image by all its names, or by its id when it has none, unless a container uses it; what the engine said against it. */
export async function removeEngineImage(
  engine: Engine,
  { id, names }: Pick<FoundImage, "id" | "names">,
): Promise<string | undefined> {
  const { exitCode, stderr } = await engine.ask(["image", "rm", ...(names.length === 0 ? [id] : names)]);
  return exitCode === 0 ? undefined : stderr.trim();
}

function timeOf(text: string | null | undefined): number {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? 0 : time;
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trim() === "" ? "[]" : text);
  } catch {
    return undefined;
  }
}
