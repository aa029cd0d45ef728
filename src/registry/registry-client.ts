import { UserError } from "../errors.ts";
import type { Fetch } from "../host/fetch.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, isDigest, sha256Of } from "../oci/digest.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { readableManifestTypes } from "../oci/media-types.ts";
import { formatName, formatReference, type ImageReference, versionOf } from "../oci/reference.ts";
import { verifiedChunks, verifyDigest } from "../oci/verified-content.ts";
import { createRegistryFetch } from "./authorization.ts";
import type { FindCredential } from "./credential.ts";
import { describeAccess } from "./describe-access.ts";
import { downloadBlob } from "./download-blob.ts";
import { joinBytes, readBody } from "./read-body.ts";
import { followRedirects } from "./redirects.ts";
import { failedAnswer, RegistryError } from "./registry-error.ts";
import { originUnder } from "./registry-settings.ts";
import { createRegistryWriter, maximumManifest, type RegistryWriter } from "./registry-writer.ts";
import { type RetryPolicy, retryTransient, withRetry } from "./retry.ts";
import { readTags } from "./tags.ts";

/** What a registry client needs. */
export type RegistryClientOptions = {
  readonly fetch: Fetch;
  readonly findCredential: FindCredential;
  readonly retry: RetryPolicy;
  /** Bytes per request where a registry wants a blob in pieces. */
  readonly pieceSize?: number;
  /** Registries that are spoken to over plain HTTP, beside those of this machine. */
  readonly plainHttp?: ReadonlySet<string>;
};

/** A manifest as the registry has it: the bytes that its digest names, and what they say. */
export type FetchedManifest = {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifest: Manifest;
};

/** Where something is in a registry. */
export type Repository = Pick<ImageReference, "domain" | "repository">;

/**
 * Reads from OCI registries (distribution spec). Everything given out was checked against its digest. A failure is a
 * RegistryError when the registry answered, a NetworkError when it did not, another UserError when the answer is not
 * what it should be.
 */
export type RegistryClient = {
  /** The manifest or index that a reference names; `accept` narrows the media types asked for. */
  manifest(reference: ImageReference, options?: { accept?: readonly string[] }): Promise<FetchedManifest>;
  /** A blob's bytes, at most `maximum` of them (256 MiB unless told). */
  blob(repository: Repository, descriptor: Descriptor, options?: { maximum?: number }): Promise<Uint8Array>;
  /** A blob in chunks, for what is too large for memory: the stream throws at its end when digest or size differ. */
  blobChunks(repository: Repository, descriptor: Descriptor): AsyncIterable<Uint8Array>;
  /** All tags of a repository in the registry's order; none when it does not exist. */
  tags(repository: Repository): Promise<string[]>;
};

const defaultMaximumBlob = 256 * 1024 * 1024;

/** A client for all registries; logins and tokens are remembered as long as it lives. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient & RegistryWriter {
  const { fetch, findCredential, retry, pieceSize, plainHttp = new Set() } = options;
  const originOf = originUnder({ plainHttp });
  const describe = async (place: Repository) => describeAccess(place.domain, await findCredential(place));
  const send = createRegistryFetch(followRedirects(withRetry(fetch, retry)), { findCredential, originOf });

  async function get(place: Repository, request: GetRequest): Promise<Response> {
    const { domain, repository } = place;
    const { offset } = request;
    const headers = { accept: request.accept ?? "*/*", ...(offset === undefined ? {} : { range: `bytes=${offset}-` }) };
    const response = await send({ domain, repository, path: request.path, headers });
    if (response.status === 200 || (response.status === 206 && offset !== undefined)) return response;
    throw await failedAnswer({ what: request.what, domain, response, describeAccess: () => describe(place) });
  }

  async function* blobChunks(place: Repository, descriptor: Descriptor): AsyncGenerator<Uint8Array> {
    const { digest, size } = descriptor;
    const resource = `${place.domain}/${place.repository}`;
    const path = `${place.repository}/blobs/${digest}`;
    const what = `blob ${digest} of ${resource}`;
    const open = (offset: number) => get(place, { path, what, ...(offset === 0 ? {} : { offset }) });
    yield* verifiedChunks(downloadBlob({ size, what, open, retry }), { digest, size, resource });
  }

  return {
    ...createRegistryWriter({ send, originOf, describeAccess: describe, retry, pieceSize }),
    manifest(reference, { accept = readableManifestTypes } = {}) {
      const path = `${reference.repository}/manifests/${versionOf(reference)}`;
      const what = `manifest of ${formatReference(reference)}`;
      const read = async () => readManifest(await get(reference, { path, accept: accept.join(", "), what }), reference);
      return retryTransient(read, retry);
    },
    async blob(place, descriptor, { maximum = defaultMaximumBlob } = {}) {
      if (descriptor.size > maximum) throw tooLarge(place, { size: descriptor.size, maximum });
      return retryTransient(() => collect(blobChunks(place, descriptor)), retry);
    },
    blobChunks,
    tags(place) {
      const resource = `${place.domain}/${place.repository}`;
      const getPage = (path: string) =>
        get(place, { path, accept: "application/json", what: `tag list of ${resource}` }).catch(undefinedWhenNotFound);
      return retryTransient(() => readTags(place.repository, { resource, get: getPage }), retry);
    },
  };
}

type GetRequest = {
  readonly path: string;
  readonly accept?: string;
  readonly what: string;
  /** Where to begin, when not at the first byte. */
  readonly offset?: number;
};

async function readManifest(response: Response, reference: ImageReference): Promise<FetchedManifest> {
  const what = `The manifest of ${formatReference(reference)}`;
  const bytes = await readBody(response, { maximum: maximumManifest, what });
  const digest = sha256Of(bytes);
  const resource = formatName(reference);
  const promised = response.headers.get("docker-content-digest") ?? "";
  if (isDigest(promised)) verifyDigest(digest, { digest: promised, resource });
  if (reference.digest !== undefined) verifyDigest(digest, { digest: reference.digest, resource });
  const contentType = response.headers.get("content-type") ?? undefined;
  const manifest = parseManifest(bytes, { what, contentType });
  return { bytes, digest, mediaType: manifest.mediaType, manifest };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts = await Array.fromAsync(chunks);
  return joinBytes(
    parts,
    parts.reduce((size, part) => size + part.length, 0),
  );
}

function undefinedWhenNotFound(thrown: unknown): undefined {
  if (thrown instanceof RegistryError && thrown.failure === "not-found") return undefined;
  throw thrown;
}

function tooLarge(place: Repository, found: { size: number; maximum: number }): UserError {
  return new UserError(
    `Refused to load a blob of ${place.domain}/${place.repository}: it has ${found.size} bytes, at most ${found.maximum} are wanted.`,
  );
}
