import * as v from "valibot";
import { UserError } from "../errors.ts";
import { envRecord } from "../oci/env-entries.ts";
import { formatPlatform, normalizePlatform } from "../oci/platform.ts";
import { formatName, parseImageReference } from "../oci/reference.ts";

/** An image in an engine's store or in cooper's own, as far as a build needs to know it. */
export interface LocalImage {
  readonly id: string;
  /** Whose inspection it is, told by its shape; `store` is cooper's own store. */
  readonly engine: "docker" | "podman" | "store";
  /** Names the same bytes on every engine: the registry's manifest digest where one is known for the reference, else the config digest. */
  readonly digest: string;
  /** Whether the digest came from a registry. */
  readonly pulled: boolean;
  readonly platform: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Fully qualified names of the image, `docker.io/library/debian:12`. */
  readonly names: readonly string[];
}

/** Whose client told of an image; undefined where none did. */
export function engineKindOf(image: LocalImage | undefined): "docker" | "podman" | undefined {
  return image === undefined || image.engine === "store" ? undefined : image.engine;
}

// Docker's old shell form is a bare string.
const words = v.pipe(
  v.nullish(v.union([v.array(v.string()), v.string()]), []),
  v.transform((value) => (typeof value === "string" ? [value] : value)),
);

const inspection = v.array(
  v.object({
    Id: v.string(),
    // Podman alone prints it: the digest of the manifest for this platform.
    Digest: v.optional(v.string()),
    RepoTags: v.nullish(v.array(v.string()), []),
    RepoDigests: v.nullish(v.array(v.string()), []),
    Os: v.optional(v.string(), "linux"),
    Architecture: v.optional(v.string(), ""),
    Variant: v.optional(v.string()),
    Config: v.nullish(
      v.object({
        User: v.optional(v.string(), ""),
        Env: v.nullish(v.array(v.string()), []),
        Labels: v.nullish(v.record(v.string(), v.string()), {}),
        Entrypoint: words,
        Cmd: words,
      }),
    ),
  }),
);

type Inspected = v.InferOutput<typeof inspection>[number];

/**
 * The images that `docker image inspect` or `podman image inspect` printed, by what was asked for: paired by order when all were
 * found, by name otherwise. Throws UserError when the text is not such an answer.
 */
export function readImageInspection(references: readonly string[], text: string): ReadonlyMap<string, LocalImage> {
  const found = parseInspection(text);
  const complete = found.length === references.length;
  return new Map(
    references.flatMap((reference, index) => {
      const image = complete ? found[index] : found.find((candidate) => answersTo(candidate, reference));
      return image === undefined ? [] : [[reference, toLocalImage(image, reference)] as const];
    }),
  );
}

function parseInspection(text: string): readonly Inspected[] {
  try {
    return v.parse(inspection, JSON.parse(text === "" ? "[]" : text));
  } catch (cause) {
    throw new UserError(
      "Could not read the engine's answer to `image inspect`: it is not the JSON of a list of images.",
      { cause },
    );
  }
}

function answersTo(image: Inspected, reference: string): boolean {
  if (bareId(image.Id).startsWith(bareId(reference))) return true;
  const wanted = qualify(reference);
  return [...(image.RepoTags ?? []), ...(image.RepoDigests ?? [])].some((name) => {
    const qualified = qualify(name);
    // Podman resolves a short name to any registry's image of that name.
    return qualified === wanted || (!reference.split(":")[0]?.includes("/") && name.endsWith(`/${reference}`));
  });
}

function toLocalImage(image: Inspected, reference: string): LocalImage {
  const registryDigest = registryDigestOf(image, reference);
  return {
    id: image.Id,
    engine: image.Digest === undefined ? "docker" : "podman",
    digest: registryDigest ?? withAlgorithm(image.Id),
    pulled: registryDigest !== undefined,
    platform: formatPlatform(
      normalizePlatform({ os: image.Os, architecture: image.Architecture, variant: image.Variant }),
    ),
    user: image.Config?.User ?? "",
    env: envRecord(image.Config?.Env ?? []),
    labels: image.Config?.Labels ?? {},
    entrypoint: image.Config?.Entrypoint ?? [],
    command: image.Config?.Cmd ?? [],
    names: (image.RepoTags ?? []).map(qualify),
  };
}

function registryDigestOf(image: Inspected, reference: string): string | undefined {
  const name = nameOf(reference);
  if (name === undefined || name.startsWith("localhost/")) return undefined;
  const digests = (image.RepoDigests ?? [])
    .filter((entry) => nameOf(entry) === name)
    .flatMap((entry) => entry.split("@")[1] ?? []);
  // Podman lists the index that was pulled beside the platform's manifest; docker keeps the index alone.
  return digests.find((digest) => digest !== image.Digest) ?? digests[0];
}

function nameOf(reference: string): string | undefined {
  try {
    return formatName(parseImageReference(reference));
  } catch {
    return undefined;
  }
}

function qualify(reference: string): string {
  try {
    const parsed = parseImageReference(reference);
    const version = parsed.digest === undefined ? `:${parsed.tag ?? "latest"}` : `@${parsed.digest}`;
    return `${formatName(parsed)}${version}`;
  } catch {
    return reference;
  }
}

function bareId(id: string): string {
  return id.replace(/^sha256:/, "");
}

function withAlgorithm(id: string): string {
  return id.startsWith("sha256:") ? id : `sha256:${id}`;
}
