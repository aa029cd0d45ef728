import type { StreamedBody } from "../host/fetch.ts";
import type { NetworkError } from "../host/network-error.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryRequest } from "./authorization.ts";
import { exhausted, isPassing, pauseAfter, type RetryPolicy, retryAnswer, transientOrThrow } from "./retry.ts";
import { closingLocation, receivedBytes, uploadLocation } from "./upload-location.ts";
import { bytesFrom, bytesInPieces } from "./upload-pieces.ts";

/** A blob to be pushed. */
export type BlobUpload = {
  readonly digest: Digest;
  readonly size: number;
  /** The blob from its first byte; opened again for every attempt. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** Another repository of the same registry that has it: it is taken from there when the registry allows. */
  readonly from?: string | undefined;
  /** Called with the number of bytes sent so far, which is smaller again after a failure. */
  readonly onProgress?: ((sent: number) => void) | undefined;
};

/** How a blob came to be in a repository. */
export type UploadOutcome = "present" | "mounted" | "uploaded";

/** One repository of a registry, as an upload needs it. */
export type UploadTarget = {
  /** `scheme://host[:port]` of the registry. */
  readonly origin: string;
  readonly repository: string;
  /** What is uploaded, for messages. */
  readonly what: string;
  readonly send: (request: Omit<RegistryRequest, "domain" | "repository">) => Promise<Response>;
  /** The error for an answer that ends the upload. */
  readonly failure: (response: Response) => Promise<Error>;
  readonly retry: RetryPolicy;
  /** Bytes per request where a registry wants pieces. */
  readonly pieceSize: number;
};

/** Where an upload is; `offset` is what the registry has of it. */
type Session = { location: string; offset: number; pieces: number | undefined; readonly smallestPiece: number };

/**
 * Puts a blob into a repository unless it is there: mounted, else in one request, else, after a failure or where the
 * registry refuses so large a request, in pieces from where it stopped. The digest is the registry's to check.
 */
export async function uploadBlob(target: UploadTarget, blob: BlobUpload): Promise<UploadOutcome> {
  if (await exists(target, blob)) return "present";
  const begun = await begin(target, { blob, from: blob.from });
  if (begun === "mounted") return "mounted";
  await sendBlob(target, { blob, first: begun });
  return "uploaded";
}

async function sendBlob(target: UploadTarget, { blob, first }: { blob: BlobUpload; first: Session }): Promise<void> {
  let session = first;
  for (let attempt = 1; ; attempt++) {
    const wasResumed = session.offset > 0;
    const answer = await sendRest(target, { blob, session }).catch(transientOrThrow);
    if (answer instanceof Response && (answer.status === 201 || answer.status === 204)) return;
    const isTooLarge = answer instanceof Response && answer.status === 413 && session.pieces === undefined;
    if (!isTooLarge && !mayPass(answer, { wasResumed })) throw await lastFailure(target, answer);
    const pause = isTooLarge ? 0 : pauseAfter(attempt, { policy: target.retry, answer });
    if (pause === undefined) throw await lastFailure(target, answer);
    if (answer instanceof Response) await answer.body?.cancel();
    await target.retry.sleep(pause);
    // The registry may have it all, and only its answer was lost.
    if (await exists(target, blob)) return;
    const next = (await resume(target, { blob, session })) ?? (await begin(target, { blob, from: undefined }));
    if (next === "mounted") return;
    session = { ...next, pieces: blob.size > target.pieceSize ? target.pieceSize : undefined };
  }
}

/** A session may be lost (404), out of step (416), or wrongly resumed, which shows in the digest (400). */
function mayPass(answer: Response | NetworkError, { wasResumed }: { wasResumed: boolean }): boolean {
  if (!(answer instanceof Response)) return true;
  return isPassing(answer) || answer.status === 404 || answer.status === 416 || (answer.status === 400 && wasResumed);
}

async function lastFailure(target: UploadTarget, answer: Response | NetworkError): Promise<Error> {
  return answer instanceof Response ? target.failure(answer) : exhausted(answer);
}

async function exists(target: UploadTarget, { digest }: BlobUpload): Promise<boolean> {
  const path = `${target.repository}/blobs/${digest}`;
  const response = await target.send({ method: "HEAD", path, writes: true });
  await response.body?.cancel();
  if (response.status === 200) return true;
  if (response.status === 404) return false;
  throw await target.failure(response);
}

async function begin(
  target: UploadTarget,
  { blob, from }: { blob: BlobUpload; from: string | undefined },
): Promise<Session | "mounted"> {
  const uploads = `${target.repository}/blobs/uploads/`;
  const mount = from === undefined ? "" : `?mount=${blob.digest}&from=${encodeURIComponent(from)}`;
  const path = `${uploads}${mount}`;
  const response = await retryAnswer(() => target.send({ method: "POST", path, writes: true, from }), target.retry);
  if (response.status === 201 && from !== undefined) {
    await response.body?.cancel();
    return "mounted";
  }
  if (response.status !== 202) {
    // Who may not read the other repository may still push to this one.
    if (from !== undefined) return begin(target, { blob, from: undefined });
    throw await target.failure(response);
  }
  await response.body?.cancel();
  const location = uploadLocation(response, { url: `${target.origin}/v2/${path}`, what: target.what });
  const smallest = response.headers.get("oci-chunk-min-length") ?? "";
  const smallestPiece = /^\d{1,10}$/.test(smallest) ? Number(smallest) : 0;
  return { location, offset: 0, pieces: undefined, smallestPiece };
}

/** The session as the registry knows it after a failure; undefined when it is better to start anew. */
async function resume(
  target: UploadTarget,
  { blob, session }: { blob: BlobUpload; session: Session },
): Promise<Session | undefined> {
  const { location } = session;
  const response = await target.send({ path: "", location, writes: true });
  await response.body?.cancel();
  const offset = response.status === 204 ? receivedBytes(response) : undefined;
  if (offset === undefined || offset > blob.size) return undefined;
  const next = response.headers.has("location")
    ? uploadLocation(response, { url: location, what: target.what })
    : location;
  return { ...session, location: next, offset };
}

/** Sends what the registry lacks and closes the upload; the answer may be a refusal of any part. */
async function sendRest(
  target: UploadTarget,
  { blob, session }: { blob: BlobUpload; session: Session },
): Promise<Response> {
  const { size, digest } = blob;
  const rest = () => bytesFrom(blob.open(), session.offset);
  if (session.pieces !== undefined) {
    const pieceSize = Math.max(session.pieces, session.smallestPiece);
    for await (const piece of bytesInPieces(rest(), pieceSize)) {
      const refusal = await sendPiece(target, { session, piece });
      if (refusal !== undefined) return refusal;
      blob.onProgress?.(session.offset);
    }
  }
  const { offset } = session;
  const body: StreamedBody = { size: size - offset, open: () => counted(rest(), { blob, offset }) };
  return target.send({
    method: "PUT",
    path: "",
    location: closingLocation(session.location, digest),
    writes: true,
    headers: {
      "content-type": "application/octet-stream",
      ...rangeOf(offset, { size: body.size, isWhole: offset === 0 }),
    },
    body: body.size === 0 ? new Uint8Array() : body,
  });
}

/** Sends one piece and moves the session on; gives back the answer when it was refused. */
async function sendPiece(
  target: UploadTarget,
  { session, piece }: { session: Session; piece: Uint8Array<ArrayBuffer> },
): Promise<Response | undefined> {
  const { location, offset } = session;
  const range = rangeOf(offset, { size: piece.length, isWhole: false });
  const headers = { "content-type": "application/octet-stream", ...range };
  const response = await target.send({ method: "PATCH", path: "", location, writes: true, headers, body: piece });
  if (response.status !== 202) return response;
  await response.body?.cancel();
  session.offset = offset + piece.length;
  session.location = uploadLocation(response, { url: location, what: target.what });
  return undefined;
}

function rangeOf(offset: number, { size, isWhole }: { size: number; isWhole: boolean }): Record<string, string> {
  return isWhole || size === 0 ? {} : { "content-range": `${offset}-${offset + size - 1}` };
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  { blob, offset }: { blob: BlobUpload; offset: number },
): AsyncGenerator<Uint8Array> {
  let sent = offset;
  for await (const chunk of chunks) {
    yield chunk;
    sent += chunk.length;
    blob.onProgress?.(sent);
  }
}
