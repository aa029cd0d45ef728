import { type Digest, isDigest, sha256Of } from "../../src/oci/digest.ts";
import { concatBytes } from "./registry-tar.ts";

/** Content as a repository of the fake keeps it. */
export type Stored = { readonly mediaType: string; readonly bytes: Uint8Array<ArrayBuffer> };

/** A repository: content by `blobs <digest>` or `manifests <digest>`, and what its tags name. */
export type Shelf = { readonly content: Map<string, Stored>; readonly tags: Map<string, Digest> };

/** How a fake registry takes uploads. */
export type FakeUploads = {
  /** The most bytes that it takes in one request. */
  readonly largestRequest?: number;
  /** Whether it mounts from other repositories; true unless told. */
  readonly mounts?: boolean;
  /** What comes before the path in its locations, such as another server's origin. */
  readonly locationOrigin?: string;
};

type Upload = { readonly repository: string; bytes: Uint8Array<ArrayBuffer>; state: number };

/**
 * Answers what writes: uploads as a whole, in pieces, resumed and mounted, and manifests, whose blobs must be there;
 * undefined for all other requests. Locations carry a state that changes with every answer, as those of real ones do.
 */
export function createUploads(
  shelfOf: (repository: string) => Shelf,
  settings: FakeUploads = {},
): (request: Request) => Promise<Response | undefined> {
  const uploads = new Map<string, Upload>();
  let begun = 0;

  function told(id: string, upload: Upload, status: number): Response {
    upload.state += 1;
    const location = `${settings.locationOrigin ?? ""}/v2/${upload.repository}/blobs/uploads/${id}?state=${upload.state}`;
    return new Response(null, { status, headers: { location, range: `0-${Math.max(upload.bytes.length - 1, 0)}` } });
  }

  function begin(repository: string, parameters: URLSearchParams): Response {
    const [mount = "", from = ""] = [parameters.get("mount") ?? "", parameters.get("from") ?? ""];
    const mounted = settings.mounts === false ? undefined : shelfOf(from).content.get(`blobs ${mount}`);
    if (mounted !== undefined) {
      shelfOf(repository).content.set(`blobs ${mount}`, mounted);
      return new Response(null, { status: 201, headers: { location: `/v2/${repository}/blobs/${mount}` } });
    }
    begun += 1;
    const id = String(begun);
    const upload = { repository, bytes: new Uint8Array(), state: 0 };
    uploads.set(id, upload);
    return told(id, upload, 202);
  }

  async function proceed(request: Request, { id, upload }: { id: string; upload: Upload }): Promise<Response> {
    const { searchParams } = new URL(request.url);
    if (searchParams.get("state") !== String(upload.state)) return refusal(400, "BLOB_UPLOAD_INVALID");
    if (request.method === "GET") return told(id, upload, 204);
    const body = new Uint8Array(await request.arrayBuffer());
    if (body.length > (settings.largestRequest ?? Number.POSITIVE_INFINITY)) return refusal(413, "SIZE_INVALID");
    const start = Number(/^(\d+)-\d+$/.exec(request.headers.get("content-range") ?? "")?.[1] ?? upload.bytes.length);
    if (start !== upload.bytes.length) return refusal(416, "BLOB_UPLOAD_INVALID");
    upload.bytes = concatBytes([upload.bytes, body]);
    if (request.method === "PATCH") return told(id, upload, 202);
    uploads.delete(id);
    const digest = sha256Of(upload.bytes);
    if (searchParams.get("digest") !== digest) return refusal(400, "DIGEST_INVALID");
    const stored = { mediaType: "application/octet-stream", bytes: upload.bytes };
    shelfOf(upload.repository).content.set(`blobs ${digest}`, stored);
    return new Response(null, { status: 201, headers: { "docker-content-digest": digest } });
  }

  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const [, repository = "", id = ""] = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(pathname) ?? [];
    if (repository !== "" && id === "" && request.method === "POST") return begin(repository, searchParams);
    if (repository !== "") {
      const upload = uploads.get(id);
      return upload === undefined ? refusal(404, "BLOB_UPLOAD_UNKNOWN") : proceed(request, { id, upload });
    }
    const [, place = "", name = ""] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(pathname) ?? [];
    return place !== "" && request.method === "PUT" ? putManifest(request, { shelf: shelfOf(place), name }) : undefined;
  };
}

async function putManifest(request: Request, { shelf, name }: { shelf: Shelf; name: string }): Promise<Response> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  const digest = sha256Of(bytes);
  const text = new TextDecoder().decode(bytes);
  const named = [...text.matchAll(/"digest":"(sha256:[0-9a-f]{64})"/g)].map(([, found]) => found);
  const lacks = named.some((found) => !shelf.content.has(`blobs ${found}`) && !shelf.content.has(`manifests ${found}`));
  if (lacks) return refusal(404, "MANIFEST_BLOB_UNKNOWN");
  if (isDigest(name) && name !== digest) return refusal(400, "DIGEST_INVALID");
  shelf.content.set(`manifests ${digest}`, { mediaType: request.headers.get("content-type") ?? "", bytes });
  if (!isDigest(name)) shelf.tags.set(name, digest);
  return new Response(null, { status: 201, headers: { "docker-content-digest": digest } });
}

function refusal(status: number, code: string): Response {
  return Response.json({ errors: [{ code, message: "as the fake says" }] }, { status });
}
