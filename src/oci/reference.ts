import { UserError } from "../errors.ts";
import { type Digest, isDigest } from "./digest.ts";

/** A fully qualified image reference; with neither tag nor digest it means the tag `latest`. */
export type ImageReference = {
  /** Registry as users write it, with its port if any: `docker.io`, `ghcr.io`, `localhost:5000`. */
  readonly domain: string;
  /** Path inside the registry, lower case: `library/debian`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
};

const dockerHub = "docker.io";
const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const domainPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:.]+\\])(?::[0-9]{1,5})?$`);
const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const maximumNameLength = 255;

/**
 * The reference written in `text`, with Docker's shorthands resolved (`debian` is `docker.io/library/debian`);
 * throws a UserError that says which part is wrong.
 */
export function parseImageReference(text: string): ImageReference {
  const [beforeDigest = "", digestText, ...extra] = text.split("@");
  const digest = digestText;
  if (extra.length > 0 || (digest !== undefined && !isDigest(digest))) {
    throw invalid(text, 'the part after "@" must be "sha256:" followed by 64 lower-case hex digits');
  }
  const colon = beforeDigest.lastIndexOf(":");
  const hasTag = colon > beforeDigest.lastIndexOf("/");
  const name = hasTag ? beforeDigest.slice(0, colon) : beforeDigest;
  const tag = hasTag ? beforeDigest.slice(colon + 1) : undefined;
  if (tag !== undefined && !isTag(tag)) {
    throw invalid(text, 'a tag starts with a letter, digit or "_" and continues with at most 127 of those, "." or "-"');
  }
  const { domain, repository } = splitName(name);
  if (!isDomain(domain)) throw invalid(text, `${JSON.stringify(domain)} is not a registry host`);
  if (!isRepository(repository)) {
    throw invalid(text, "a repository is lower-case letters and digits, joined by single separators and slashes");
  }
  if (domain.length + 1 + repository.length > maximumNameLength) {
    throw invalid(text, `a name has at most ${maximumNameLength} characters`);
  }
  return { domain, repository, tag, digest };
}

function splitName(name: string): { domain: string; repository: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = slash !== -1 && (/[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first);
  const domain = isDomain ? first.toLowerCase() : dockerHub;
  const repository = isDomain ? name.slice(slash + 1) : name;
  if (domain !== dockerHub && domain !== "index.docker.io") return { domain, repository };
  return { domain: dockerHub, repository: repository.includes("/") ? repository : `library/${repository}` };
}

function invalid(text: string, reason: string): UserError {
  return new UserError(`Invalid image reference ${JSON.stringify(text)}: ${reason}.`);
}

/** True for a registry's host as a reference may name it, with its port if any. */
export function isDomain(text: string): boolean {
  return domainPattern.test(text);
}

/** True for a tag of the distribution spec's grammar. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** True for a repository path of the distribution spec's grammar. */
export function isRepository(text: string): boolean {
  return repositoryPattern.test(text);
}

/** The host, with its port if any, that serves the registry API of a domain. */
export function registryHost(domain: string): string {
  return domain === dockerHub ? "registry-1.docker.io" : domain;
}

/** What to ask a registry for: the digest when there is one, else the tag, else `latest`. */
export function versionOf(reference: ImageReference): string {
  return reference.digest ?? reference.tag ?? "latest";
}

/** `domain/repository`, without tag or digest. */
export function formatName(reference: ImageReference): string {
  return `${reference.domain}/${reference.repository}`;
}

/** The full text of a reference: `docker.io/library/debian:12`, with `latest` spelled out. */
export function formatReference(reference: ImageReference): string {
  const { tag, digest } = reference;
  const tagged = tag === undefined && digest === undefined ? "latest" : tag;
  return `${formatName(reference)}${tagged === undefined ? "" : `:${tagged}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** Throws a UserError when a reference wants another digest than the image has. */
export function checkDigest(reference: ImageReference, digest: Digest): void {
  if (reference.digest === undefined || reference.digest === digest) return;
  throw new UserError(`The image cannot be called ${formatReference(reference)}: its digest is ${digest}.`, {
    hint: "Leave the digest out, or copy the image that has it, with all its platforms.",
  });
}
