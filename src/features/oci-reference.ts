import { UserError } from "../errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";

/** A Feature in an OCI registry; with a digest the tag is undefined, with neither written the tag is `latest`. */
export type OciFeatureReference = {
  readonly kind: "oci";
  readonly registry: string;
  /** Everything between registry and id. */
  readonly namespace: string;
  readonly owner: string;
  readonly id: string;
  /** The repository inside the registry: `namespace/id`. */
  readonly path: string;
  /** The reference as written, lower case, without tag and digest. */
  readonly resource: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
};

const tagPattern = /^[a-z0-9_][a-z0-9_.-]{0,127}$/;
const pathPattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$/;
const movedOwners = new Map([["devcontainers-contrib", "devcontainers-extra"]]);

/** True when the first segment of an id can be a registry's host: it has a dot, or starts with `localhost`. */
export function namesRegistry(userId: string): boolean {
  const registry = firstSegment(userId).toLowerCase();
  return !registry.startsWith(".") && (registry.includes(".") || registry.startsWith("localhost"));
}

/**
 * The registry reference written as a Feature's id (§ dev container Features distribution): case does not count;
 * throws a UserError that says which part is wrong.
 */
export function parseOciFeatureReference(userId: string): OciFeatureReference {
  const { resource, tag, digest } = splitVersion(userId);
  const [registry = "", writtenOwner = "", ...rest] = resource.split("/");
  const id = rest.at(-1);
  if (id === undefined)
    throw invalid(userId, "a registry, a namespace and an id are wanted: ghcr.io/owner/features/id");
  const owner = movedOwners.get(writtenOwner) ?? writtenOwner;
  const namespace = [owner, ...rest.slice(0, -1)].join("/");
  const path = `${namespace}/${id}`;
  if (!pathPattern.test(path)) {
    throw invalid(
      userId,
      `"${path}" is not a repository name: letters and digits, joined by single ".", "_" or "-", separated by "/"`,
    );
  }
  return { kind: "oci", registry, namespace, owner, id, path, resource, tag, digest };
}

/** What a lockfile and messages call the content: `registry/path@digest`. */
export function resolvedOciFeature(reference: OciFeatureReference, digest: string): string {
  return `${reference.registry}/${reference.path}@${digest}`;
}

/** A user-written id without its `:tag` or `@digest`. */
export function withoutVersion(userId: string): string {
  const at = userId.lastIndexOf("@");
  if (at !== -1) return userId.slice(0, at);
  const colon = userId.lastIndexOf(":");
  return colon > userId.lastIndexOf("/") ? userId.slice(0, colon) : userId;
}

function splitVersion(userId: string): {
  resource: string;
  tag: string | undefined;
  digest: Digest | undefined;
} {
  const text = userId.toLowerCase();
  const resource = withoutVersion(text);
  const version = text.slice(resource.length + 1);
  if (text[resource.length] === "@") {
    if (isDigest(version)) return { resource, tag: undefined, digest: version };
    throw invalid(userId, 'the part after "@" must be "sha256:" followed by 64 hex digits');
  }
  if (text[resource.length] === undefined) return { resource, tag: "latest", digest: undefined };
  if (tagPattern.test(version)) return { resource, tag: version, digest: undefined };
  throw invalid(userId, 'a tag starts with a letter, digit or "_" and continues with at most 127 of those, "." or "-"');
}

function firstSegment(userId: string): string {
  return userId.split("/")[0] ?? "";
}

function invalid(userId: string, reason: string): UserError {
  return new UserError(`Feature '${userId}' is not a valid reference: ${reason}.`);
}
