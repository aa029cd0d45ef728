import { AGENT_BASE_LABEL, AGENT_LABEL, AGENT_VERSION_LABEL, STOCK_BASE_NAME } from "../agent/image-name.ts";
import { metadataLabelName } from "../devcontainer/metadata-label.ts";
import { formatName, formatReference, parseImageReference } from "../oci/reference.ts";
import { PLAN_LABEL } from "./plan-hash.ts";

/** An image that is on this machine, in an engine's store or in cooper's own. */
export interface FoundImage {
  readonly id: string;
  readonly where: "docker" | "podman" | "store";
  /** As its store writes them; none where a newer image took the last. */
  readonly names: readonly string[];
  /** RFC 3339, as the image says; undefined when it says nothing. */
  readonly created: string | undefined;
  /** When it was made or, where that is known, last used: milliseconds since 1970. */
  readonly time: number;
  /** Bytes, as its store counts them. */
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Diff ids, bottom layer first. */
  readonly layers: readonly string[];
}

/** What an image is for, as its labels tell; `image` was not made from a plan. */
export type ImagePurpose =
  | { readonly kind: "agent"; readonly agent: string; readonly version: string }
  | { readonly kind: "dev-container" }
  | { readonly kind: "profile"; readonly profile: string }
  | { readonly kind: "base" }
  | { readonly kind: "image" };

const PROFILES = "docker.io/patchfoundry/";

/** What an image is for. */
export function purposeOf({ labels, names }: Pick<FoundImage, "labels" | "names">): ImagePurpose {
  if (labels[PLAN_LABEL] === undefined) return { kind: "image" };
  const agent = labels[AGENT_LABEL];
  if (agent !== undefined) return { kind: "agent", agent, version: labels[AGENT_VERSION_LABEL] ?? "" };
  if (labels[metadataLabelName] !== undefined) return { kind: "dev-container" };
  const [profile] = names
    .map(repositoryOf)
    .filter((repository) => repository.replace("localhost/", "docker.io/").startsWith(PROFILES));
  return profile === undefined ? { kind: "base" } : { kind: "profile", profile: profile.split("/").at(-1) ?? "" };
}

/** Those of the images that cooper made: with its label, which they have not from a base that is there too. */
export function madeImages(images: readonly FoundImage[]): readonly FoundImage[] {
  return images.filter((image) => {
    const plan = image.labels[PLAN_LABEL];
    return plan !== undefined && !images.some((base) => base.labels[PLAN_LABEL] === plan && extendsImage(image, base));
  });
}

function extendsImage(image: FoundImage, base: FoundImage): boolean {
  return (
    image.where === base.where &&
    base.layers.length < image.layers.length &&
    base.layers.every((layer, index) => layer === image.layers[index])
  );
}

/**
 * Those of the images that a newer one has taken the place of: without a name, or whose names are all derived ones (the tag is the plan's
 * hash, or the agent's version) that a newer image has with another tag. A name that somebody gave keeps an image, and out of all this.
 */
export function supersededImages(images: readonly FoundImage[]): readonly FoundImage[] {
  const derived = images.filter((image) => keysOf(image) !== undefined);
  const newest = new Map<string, number>();
  for (const image of derived) {
    for (const key of keysOf(image) ?? []) newest.set(key, Math.max(newest.get(key) ?? 0, image.time));
  }
  return derived.filter((image) => (keysOf(image) ?? []).every((key) => image.time < (newest.get(key) ?? 0)));
}

/** What its derived names have in common with those of older and newer images; undefined when somebody gave it a name. */
function keysOf(image: FoundImage): readonly string[] | undefined {
  const keys = image.names.map((name) => derivedKey(name, image));
  const known = keys.filter((key) => key !== undefined);
  return known.length === keys.length ? known : undefined;
}

/** The repository of a derived name, where it is; undefined for a name that somebody gave. */
function derivedKey(name: string, { labels, where }: FoundImage): string | undefined {
  const tag = tagOf(name);
  const isPlan = tag !== undefined && tag === labels[PLAN_LABEL]?.slice(0, 12);
  const isVersion = tag !== undefined && labels[AGENT_LABEL] !== undefined && tag === labels[AGENT_VERSION_LABEL];
  return isPlan || isVersion ? `${where} ${repositoryOf(name)}` : undefined;
}

/** Those of the images that agents' images were put on, of one agent or of any. */
export function basesOfAgents(images: readonly FoundImage[], agent: string | undefined): readonly FoundImage[] {
  const bases = images.flatMap(({ labels, where }) =>
    labels[AGENT_LABEL] === undefined || (agent !== undefined && labels[AGENT_LABEL] !== agent)
      ? []
      : [{ where, base: labels[AGENT_BASE_LABEL] ?? "" }],
  );
  return images.filter((image) =>
    bases.some(({ where, base }) => {
      if (where !== image.where) return false;
      // The stock base has no name that somebody gave it.
      return image.names.some((name) => (base === "" ? isStockBase(name, image) : isSameName(name, base)));
    }),
  );
}

function isStockBase(name: string, image: FoundImage): boolean {
  return derivedKey(name, image) !== undefined && repositoryOf(name).endsWith(`/${STOCK_BASE_NAME}`);
}

/** Whether two texts name the same image, as an engine sees it. */
export function isSameName(name: string, other: string): boolean {
  const [left, right] = [wholeName(name), wholeName(other)];
  // Podman writes localhost/ before a name that has no registry.
  return left === right || left === right.replace(/^docker\.io\/(?:library\/)?/, "localhost/");
}

function wholeName(name: string): string {
  try {
    return formatReference(parseImageReference(name));
  } catch {
    return name;
  }
}

function repositoryOf(name: string): string {
  try {
    return formatName(parseImageReference(name));
  } catch {
    return name;
  }
}

function tagOf(name: string): string | undefined {
  try {
    return parseImageReference(name).tag;
  } catch {
    return undefined;
  }
}
