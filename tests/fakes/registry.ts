import type { JsonObject } from "../../src/json.ts";
import { type Digest, isDigest, sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { answerWith, createFaults, type FakeFaults } from "./registry-faults.ts";
import { createGate, type FakeAuth } from "./registry-gate.ts";
import { tarOf } from "./registry-tar.ts";
import { createUploads, type FakeUploads, type Shelf, type Stored } from "./registry-uploads.ts";

/** A request that the fake saw, in order of arrival. */
export type SeenRequest = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** What goes into a published Feature; `install.sh` is added when it is missing. */
export type FakeFeature = {
  readonly json: JsonObject;
  readonly files?: Readonly<Record<string, string>>;
  /** Whether the manifest carries `dev.containers.metadata`; true unless told. */
  readonly annotate?: boolean;
};

/** Content under a digest. */
export type StoredContent = { readonly mediaType: string; readonly digest: Digest; readonly size: number };

/** An image for one platform, such as `linux/arm/v7`, with the `config` member of its image config. */
export type FakeImage = { readonly platform?: string; readonly config?: JsonObject };

/**
 * An OCI registry in memory on a free port of 127.0.0.1. It stands in for registries of the public internet, which
 * tests cannot have, and misbehaves on demand, which real ones do not.
 */
export type FakeRegistry = {
  /** `127.0.0.1:<port>`: the domain of references into it. */
  readonly host: string;
  readonly faults: FakeFaults;
  readonly requests: SeenRequest[];
  putBlob(repository: string, content: string | Uint8Array): StoredContent;
  putManifest(repository: string, tag: string, document: JsonObject): StoredContent;
  putFeature(repository: string, tag: string, feature: FakeFeature): StoredContent & { layer: StoredContent };
  putImage(repository: string, tag: string, image?: FakeImage): StoredContent & { config: StoredContent };
  /** An index over one image per platform, which are stored too. */
  putIndex(repository: string, tag: string, images: readonly FakeImage[]): StoredContent;
  /** What a repository holds under a digest; undefined when it does not. */
  read(repository: string, kind: "blobs" | "manifests", digest: Digest): Uint8Array | undefined;
  /** What a tag names; undefined when there is no such tag. */
  digestOf(repository: string, tag: string): Digest | undefined;
  stop(): Promise<void>;
};

/** Starts a fake registry; `auth` makes it want a login or token, `tagsPerPage` makes it list tags in pages. */
export function startFakeRegistry(
  options: { auth?: FakeAuth; tagsPerPage?: number; uploads?: FakeUploads } = {},
): FakeRegistry {
  const shelves = new Map<string, Shelf>();
  const requests: SeenRequest[] = [];
  const faults = createFaults();
  const gate = createGate(options.auth);
  const puts = createPuts(shelves);
  const uploads = createUploads(puts.shelfOf, options.uploads);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const { method } = request;
      requests.push({ method, path: `${pathname}${search}`, headers: Object.fromEntries(request.headers) });
      const honest = async () =>
        (await gate(request)) ?? (await uploads(request)) ?? answer(shelves, request, options.tagsPerPage);
      const fault = faults.take(method, pathname);
      return fault === undefined ? honest() : answerWith(fault, honest);
    },
  });
  const { shelfOf, ...ports } = puts;
  const read = (repository: string, kind: "blobs" | "manifests", digest: Digest) =>
    shelfOf(repository).content.get(`${kind} ${digest}`)?.bytes;
  const digestOf = (repository: string, tag: string) => shelfOf(repository).tags.get(tag);
  return {
    host: `127.0.0.1:${server.port}`,
    faults,
    requests,
    ...ports,
    read,
    digestOf,
    stop: () => server.stop(true),
  };
}

function answer(shelves: Map<string, Shelf>, request: Request, tagsPerPage = Number.POSITIVE_INFINITY): Response {
  const url = new URL(request.url);
  if (url.pathname === "/v2/") return Response.json({});
  const [, repository = "", kind = "", name = ""] =
    /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(url.pathname) ?? [];
  const shelf = shelves.get(repository);
  if (shelf === undefined) return failure(404, "NAME_UNKNOWN");
  if (kind === "tags") return listTags([...shelf.tags.keys()], { url, tagsPerPage });
  const digest = isDigest(name) ? name : shelf.tags.get(name);
  const stored = digest === undefined ? undefined : shelf.content.get(`${kind} ${digest}`);
  if (stored === undefined) return failure(404, kind === "blobs" ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN");
  const headers = { "content-type": stored.mediaType, "docker-content-digest": digest ?? "" };
  if (request.method === "HEAD") return new Response(null, { headers });
  const from = kind === "blobs" ? /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] : undefined;
  if (from === undefined) return new Response(stored.bytes, { headers });
  const range = `bytes ${from}-${stored.bytes.length - 1}/${stored.bytes.length}`;
  return new Response(stored.bytes.slice(Number(from)), {
    status: 206,
    headers: { ...headers, "content-range": range },
  });
}

function listTags(tags: readonly string[], { url, tagsPerPage }: { url: URL; tagsPerPage: number }): Response {
  const start = Number(url.searchParams.get("from") ?? "0");
  const end = start + tagsPerPage;
  const headers = end < tags.length ? { link: `<${url.pathname}?from=${end}>; rel="next"` } : undefined;
  return Response.json({ name: "fake", tags: tags.slice(start, end) }, headers === undefined ? {} : { headers });
}

function failure(status: number, code: string): Response {
  return Response.json({ errors: [{ code, message: "as the fake says" }] }, { status });
}

function createPuts(shelves: Map<string, Shelf>) {
  const shelfOf = (repository: string): Shelf => {
    const shelf = shelves.get(repository) ?? { content: new Map(), tags: new Map() };
    shelves.set(repository, shelf);
    return shelf;
  };
  const put = (repository: string, kind: string, stored: Stored): StoredContent => {
    const digest = sha256Of(stored.bytes);
    shelfOf(repository).content.set(`${kind} ${digest}`, stored);
    return { mediaType: stored.mediaType, digest, size: stored.bytes.length };
  };
  const putBlob = (repository: string, content: string | Uint8Array) =>
    put(repository, "blobs", { mediaType: "application/octet-stream", bytes: bytesOf(content) });
  const putManifest = (repository: string, tag: string, document: JsonObject) => {
    const mediaType = typeof document["mediaType"] === "string" ? document["mediaType"] : mediaTypes.ociManifest;
    const stored = put(repository, "manifests", { mediaType, bytes: bytesOf(JSON.stringify(document)) });
    if (tag !== "") shelfOf(repository).tags.set(tag, stored.digest);
    return stored;
  };
  const putImage = (repository: string, tag: string, image: FakeImage = {}) => {
    const [os = "", architecture = "", variant] = (image.platform ?? "linux/amd64").split("/");
    const document = { os, architecture, ...(variant === undefined ? {} : { variant }), config: image.config ?? {} };
    const config = { ...putBlob(repository, JSON.stringify(document)), mediaType: mediaTypes.ociConfig };
    const layer = { ...putBlob(repository, tarOf([{ path: "etc/", type: "5" }])), mediaType: mediaTypes.ociLayer };
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
    return { ...putManifest(repository, tag, manifest), config };
  };
  const putIndex = (repository: string, tag: string, images: readonly FakeImage[]) => {
    const manifests = images.map((image) => {
      const [os = "", architecture = "", variant] = (image.platform ?? "linux/amd64").split("/");
      const { config: _, ...stored } = putImage(repository, "", image);
      return { ...stored, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } };
    });
    return putManifest(repository, tag, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  };
  const putFeature = (repository: string, tag: string, feature: FakeFeature) => {
    const layer = {
      ...putBlob(repository, featureArchive(feature)),
      mediaType: "application/vnd.devcontainers.layer.v1+tar",
    };
    const config = { ...putBlob(repository, "{}"), mediaType: "application/vnd.devcontainers" };
    const annotations = { "dev.containers.metadata": JSON.stringify(feature.json) };
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
    return {
      ...putManifest(repository, tag, feature.annotate === false ? manifest : { ...manifest, annotations }),
      layer,
    };
  };
  return { putBlob, putManifest, putImage, putIndex, putFeature, shelfOf };
}

function featureArchive({ json, files = {} }: FakeFeature): Uint8Array {
  const all = { "devcontainer-feature.json": JSON.stringify(json), "install.sh": "#!/bin/sh\nexit 0\n", ...files };
  return tarOf([
    { path: "./", type: "5" },
    ...Object.entries(all).map(([path, content]) => ({
      path: `./${path}`,
      content,
      mode: path.endsWith(".sh") ? 0o755 : 0o644,
    })),
  ]);
}

function bytesOf(content: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(typeof content === "string" ? new TextEncoder().encode(content) : content);
}
