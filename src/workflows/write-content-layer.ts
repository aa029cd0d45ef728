import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createDockerignore } from "../dockerfile/dockerignore.ts";
import { messageOf, UserError } from "../errors.ts";
import { openReadCapability } from "../host/capability.ts";
import { readTree, type TreeFilter } from "../host/read-tree.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import type { LocalImageSink } from "../oci/content.ts";
import { isStagedName } from "../store/staged-path.ts";
import { writeArchiveLayer } from "../store/write-archive-layer.ts";
import { writeLayer } from "../store/write-layer.ts";
import type { AssembleRequest } from "./assemble-request.ts";
import type { Tools } from "./tools.ts";

/** What becomes a layer: a folder, or a tar archive that is one already. */
export type LayerContent =
  | { readonly kind: "folder"; readonly path: string; readonly filter: TreeFilter | undefined }
  | { readonly kind: "archive"; readonly path: string };

/** Finds out what is at a path; throws a UserError when nothing is, or when the output would replace it. */
export function readContent(written: string, request: AssembleRequest, tools: Tools): LayerContent {
  const path = resolve(tools.workingDirectory, written);
  if (!existsSync(path)) throw new UserError(`There is no folder ${path} to make an image of.`);
  const stats = statSync(path);
  if (stats.isDirectory()) return { kind: "folder", path, filter: filterOf(path, request, tools) };
  if (stats.isFile()) return { kind: "archive", path };
  throw new UserError(`${path} is neither a folder nor a file.`);
}

/** Writes the layer into the sink. */
export async function writeContentLayer(
  content: LayerContent,
  { request, sink, signal }: { request: AssembleRequest; sink: LocalImageSink; signal: AbortSignal },
): Promise<NewLayer> {
  const { prefix, owner, epoch, clamp, compression, parallelism } = request;
  let written: NewLayer | undefined;
  const descriptor = await sink.writeNew(async (write) => {
    const how = { compression, parallelism, signal, write };
    if (content.kind === "folder") {
      const { path: folder, filter } = content;
      const entries = readTree(folder, { filter, readCapability: openReadCapability() });
      written = await writeLayer(entries, { folder, settings: { prefix, owner, epoch, clamp }, ...how });
    } else {
      const chunks = createReadStream(content.path, { highWaterMark: 1024 * 1024 });
      written = await writeArchiveLayer(readable(chunks, content.path), { what: content.path, ...how });
    }
    return written.descriptor;
  });
  if (written === undefined) throw new Error("The sink did not ask for the layer.");
  return { ...written, descriptor };
}

async function* readable(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new UserError(`Could not read ${path}: ${messageOf(cause)}.`, { cause });
  }
}

/** What .dockerignore and --exclude leave out, and the output when it lies in the folder itself. */
function filterOf(folder: string, request: AssembleRequest, tools: Tools): TreeFilter | undefined {
  const own = join(folder, ".dockerignore");
  const rules = existsSync(own) ? readFileSync(own, "utf8") : "";
  // By itself first: its lines are none of the file's.
  createDockerignore(request.exclude.join("\n"), "--exclude");
  const text = [rules, ...request.exclude].join("\n");
  const dockerignore = text.trim() === "" ? undefined : createDockerignore(text, own);
  const output = request.output !== undefined && "path" in request.output ? request.output.path : undefined;
  const place = output === undefined ? ".." : relative(folder, resolve(tools.workingDirectory, output));
  if (place === "") {
    throw new UserError(`The output ${output} is the folder that the image is made of.`, {
      hint: "Name another folder, beside it or inside it.",
    });
  }
  const isOutside = place === ".." || place.startsWith("../");
  if (isOutside) return dockerignore;
  const parent = place.slice(0, place.lastIndexOf("/") + 1);
  const name = place.slice(parent.length);
  const isOutput = (path: string) =>
    path === place || (path.startsWith(parent) && isStagedName(path.slice(parent.length), name));
  return {
    isIgnored: (path) => isOutput(path) || dockerignore?.isIgnored(path) === true,
    mayContainReincluded: (path) => !isOutput(path) && dockerignore?.mayContainReincluded(path) === true,
  };
}
