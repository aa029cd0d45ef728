import { UserError } from "../errors.ts";
import { type Digest, isDigest, sha256Of } from "../oci/digest.ts";
import { readableManifestTypes } from "../oci/media-types.ts";
import type { ImageReference } from "../oci/reference.ts";
import { verifyDigest } from "../oci/verified-content.ts";
import type { RegistryFetch, RegistryRequest } from "./authorization.ts";
import { failedPush } from "./registry-error.ts";
import { type RetryPolicy, retryAnswer } from "./retry.ts";
import { type BlobUpload, type UploadOutcome, uploadBlob } from "./upload-blob.ts";

type Repository = Pick<ImageReference, "domain" | "repository">;

/** A manifest or index to be pushed: the bytes that its digest names. */
export type ManifestUpload = { readonly bytes: Uint8Array; readonly mediaType: string };

/**
 * Writes to OCI registries (distribution spec). A failure is a RegistryError when the registry answered, a NetworkError
 * when it did not; whatever the blob's source throws is thrown as it is.
 */
export type RegistryWriter = {
  /** Puts a blob into a repository unless it is there. */
  uploadBlob(place: Repository, blob: BlobUpload): Promise<UploadOutcome>;
  /** True when the repository has a manifest under this digest. */
  hasManifest(place: Repository, digest: Digest): Promise<boolean>;
  /** Puts a manifest under its digest, and under a tag where there is one; what it names must be there already. */
  putManifest(place: Repository & { readonly tag: string | undefined }, manifest: ManifestUpload): Promise<Digest>;
};

/** What a writer needs; `send` logs in. */
export type RegistryWriterOptions = {
  readonly send: RegistryFetch;
  /** The `scheme://host[:port]` of a registry. */
  readonly originOf: (domain: string) => string;
  readonly describeAccess: (place: Repository) => Promise<string>;
  readonly retry: RetryPolicy;
  /** Bytes per request where a registry wants pieces: 16 MiB unless told. */
  readonly pieceSize?: number | undefined;
};

/** The most that registries take for a manifest. */
export const maximumManifest = 4 * 1024 * 1024;

/** The writing half of a registry client. */
export function createRegistryWriter(options: RegistryWriterOptions): RegistryWriter {
  const { send, originOf, describeAccess, retry, pieceSize = 16 * 1024 * 1024 } = options;
  const sendTo =
    ({ domain, repository }: Repository) =>
    (request: Omit<RegistryRequest, "domain" | "repository">) =>
      send({ domain, repository, writes: true, ...request });
  const failureFor = (place: Repository, what: string) => (response: Response) =>
    failedPush({ what, domain: place.domain, response, describeAccess: () => describeAccess(place) });

  return {
    uploadBlob(place, blob) {
      const what = `blob ${blob.digest} to ${place.domain}/${place.repository}`;
      const { repository } = place;
      const origin = originOf(place.domain);
      const target = {
        origin,
        repository,
        what,
        send: sendTo(place),
        failure: failureFor(place, what),
        retry,
        pieceSize,
      };
      return uploadBlob(target, blob);
    },
    async hasManifest(place, digest) {
      const path = `${place.repository}/manifests/${digest}`;
      // Registries hide what is not asked for by type.
      const accept = readableManifestTypes.join(", ");
      const response = await sendTo(place)({ method: "HEAD", path, headers: { accept } });
      await response.body?.cancel();
      if (response.status === 200) return true;
      if (response.status === 404) return false;
      throw await failureFor(place, `manifest ${digest} to ${place.domain}/${place.repository}`)(response);
    },
    async putManifest(place, { bytes, mediaType }) {
      const digest = sha256Of(bytes);
      const name = `${place.domain}/${place.repository}${place.tag === undefined ? `@${digest}` : `:${place.tag}`}`;
      const what = `manifest ${name}`;
      if (bytes.length > maximumManifest) throw tooLarge(what, bytes.length);
      const path = `${place.repository}/manifests/${place.tag ?? digest}`;
      const body = Uint8Array.from(bytes);
      const put = () => sendTo(place)({ method: "PUT", path, headers: { "content-type": mediaType }, body });
      const response = await retryAnswer(put, retry);
      if (response.status !== 201 && response.status !== 200) throw await failureFor(place, what)(response);
      await response.body?.cancel();
      const stored = response.headers.get("docker-content-digest") ?? "";
      if (isDigest(stored)) verifyDigest(stored, { digest, resource: name });
      return digest;
    },
  };
}

function tooLarge(what: string, size: number): UserError {
  return new UserError(
    `Could not push the ${what}: it has ${size} bytes, and registries take at most ${maximumManifest}.`,
    { hint: "It has too many layers or too large annotations." },
  );
}
