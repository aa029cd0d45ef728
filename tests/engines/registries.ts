import { describe, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../src/oci/digest.ts";
import { tarOf } from "../fakes/registry-tar.ts";
import type { Scene } from "./workspace.ts";

/** Names of real registries over one store: what the first is given, all have. */
export interface Registries {
  /** http, no login. */
  readonly plain: string;
  /** TLS, login `ci` / `secret`. */
  readonly basic: string;
  /** TLS, bearer tokens: anyone may read all but `private/*`, `ci` / `secret` everything. */
  readonly token: string;
  /** TLS, no login. */
  readonly anonymous: string;
}

/** A group of tests on real registries: skipped where there are none, failed where COOPER_REQUIRE_ENGINES demands engines. */
export function describeRegistries(body: (registries: Registries) => void): void {
  const names = ["PLAIN", "BASIC", "TOKEN", "ANONYMOUS"].map((name) => `COOPER_TEST_REGISTRY_${name}`);
  const [plain = "", basic = "", token = "", anonymous = ""] = names.map((name) => process.env[name]);
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length === 0) {
    describe("registries", () => body({ plain, basic, token, anonymous }));
  } else if (process.env["COOPER_REQUIRE_ENGINES"]) {
    test("registries can be used", () => {
      throw new Error(`${missing.join(", ")} not set`);
    });
  } else {
    describe.skip(`registries (skipped: ${missing.join(", ")} not set)`, () =>
      body({ plain, basic, token, anonymous }));
  }
}

/** A Feature to publish: what its devcontainer-feature.json says, and its script. */
export interface PublishedFeature {
  readonly manifest: { readonly id: string; readonly version: string } & Readonly<Record<string, unknown>>;
  readonly install: string;
}

/** Puts a Feature into the registry without login under a tag; gives its manifest's digest. */
export async function publishFeature(
  registry: string,
  place: { readonly repository: string; readonly tag: string },
  feature: PublishedFeature,
): Promise<string> {
  const { repository, tag } = place;
  const description = JSON.stringify(feature.manifest);
  const archive = tarOf([
    { path: "./devcontainer-feature.json", content: description },
    { path: "./install.sh", content: `#!/bin/sh\nset -e\n${feature.install}\n`, mode: 0o755 },
  ]);
  const config = new TextEncoder().encode("{}");
  for (const blob of [config, archive]) await putBlob(registry, repository, blob);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.devcontainers", digest: sha256Of(config), size: config.length },
    layers: [
      {
        mediaType: "application/vnd.devcontainers.layer.v1+tar",
        digest: sha256Of(archive),
        size: archive.length,
        annotations: { "org.opencontainers.image.title": `devcontainer-feature-${feature.manifest.id}.tgz` },
      },
    ],
    annotations: { "dev.containers.metadata": description },
  });
  await mustAnswer(`http://${registry}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body: manifest,
  });
  return sha256Of(manifest);
}

async function putBlob(registry: string, repository: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const begun = await mustAnswer(`http://${registry}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const place = new URL(begun.headers.get("location") ?? "", `http://${registry}`);
  place.searchParams.set("digest", sha256Of(bytes));
  await mustAnswer(place.href, { method: "PUT", body: bytes, headers: { "content-type": "application/octet-stream" } });
}

async function mustAnswer(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${init.method} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** A way to a registry on a free port, which can be closed; `requests` has what went through it. */
export interface RegistryGate {
  readonly host: string;
  readonly requests: readonly string[];
  readonly close: () => Promise<void>;
}

/** Opens a gate to the registry without login. */
export function openGate(registry: string): RegistryGate {
  const requests: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      requests.push(`${request.method} ${pathname}`);
      const { body, status, headers } = await fetch(`http://${registry}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
      });
      return new Response(body, { status, headers });
    },
  });
  return { host: `127.0.0.1:${server.port}`, requests, close: () => server.stop(true) };
}

/** A directory for DOCKER_CONFIG with this configuration; the client's plugins stay within its reach. */
export function dockerConfig(scene: Scene, config: object): { readonly DOCKER_CONFIG: string } {
  const directory = scene.directory("docker-config");
  const usual = process.env["DOCKER_CONFIG"] ?? join(process.env["HOME"] ?? "/root", ".docker");
  for (const name of ["cli-plugins", "contexts"]) {
    if (existsSync(join(usual, name))) symlinkSync(join(usual, name), join(directory, name));
  }
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  return { DOCKER_CONFIG: directory };
}

/** A home for cooper that has just heard from containers.dev that no Feature is withdrawn. */
export function homeWithControlManifest(scene: Scene): string {
  const home = scene.directory("home");
  const cache = join(home, "cache", "cooper");
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "control-manifest.json"), '{"disallowedFeatures":[],"featureAdvisories":[]}');
  return home;
}

/** `user:password` as login files have it. */
export function basicAuth(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString("base64");
}
