import { UserError } from "../errors.ts";
import type { ImageSource, ManifestDocument } from "../oci/content.ts";
import { type Image, readImage } from "../oci/image.ts";
import { platformsOf, selectPlatform } from "../oci/manifest.ts";
import { formatPlatform, type Platform, platformsRunningOn, samePlatform } from "../oci/platform.ts";

/**
 * The image for a platform of what a source holds; throws a UserError that starts with `what` and says which platforms
 * there are when it is not among them.
 */
export async function selectImage(
  source: ImageSource,
  { platform, what }: { platform: Platform; what: string },
): Promise<Image> {
  const { root } = source;
  const document =
    root.manifest.kind === "image"
      ? root
      : await source.readManifest(selectPlatform(root.manifest, { platform, what }));
  const image = await readDocument(document, { source, what });
  if (!platformsRunningOn(platform).some((candidate) => samePlatform(candidate, image.platform))) {
    throw new UserError(
      `${what} has no image for ${formatPlatform(platform)}: it has ${formatPlatform(image.platform)}.`,
      { hint: `Choose that one with --platform ${formatPlatform(image.platform)}.` },
    );
  }
  return image;
}

/** Every image that a source holds: one, or those of its platforms. */
export async function readAllImages(source: ImageSource, what: string): Promise<Image[]> {
  const { manifest } = source.root;
  if (manifest.kind === "image") return [await readDocument(source.root, { source, what })];
  const images: Image[] = [];
  for (const platform of platformsOf(manifest)) images.push(await selectImage(source, { platform, what }));
  if (images.length === 0) throw new UserError(`${what} is an index that names no platforms.`);
  return images;
}

async function readDocument(
  { manifest }: ManifestDocument,
  { source, what }: { source: ImageSource; what: string },
): Promise<Image> {
  if (manifest.kind === "index") throw new UserError(`${what} is an index of indexes, which is not supported.`);
  const config = await readWhole(source.open(manifest.config), { size: manifest.config.size, what });
  return readImage(manifest, { config, what });
}

const maximumConfig = 8 * 1024 * 1024;

async function readWhole(
  chunks: AsyncIterable<Uint8Array>,
  { size, what }: { size: number; what: string },
): Promise<Uint8Array> {
  if (size > maximumConfig)
    throw new UserError(`The config of ${what} is too large: more than ${maximumConfig} bytes.`);
  const whole = new Uint8Array(size);
  let offset = 0;
  for await (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
