import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { UserError } from "../../src/errors.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import { type TransferObserver, transferImage } from "../../src/oci/transfer-image.ts";
import { openRegistrySink } from "../../src/registry/registry-sink.ts";
import { openFolder } from "../../src/store/content-files.ts";
import { openLayoutSink } from "../../src/store/oci-layout-sink.ts";
import { openLayoutSource } from "../../src/store/oci-layout-source.ts";
import { validateLayout } from "../../src/store/validate-layout.ts";
import { openRegistrySource } from "../../src/workflows/open-image-source.ts";
import { startCuttingProxy } from "../fakes/cutting-proxy.ts";
import { filesInMemory, multiPlatformLayout } from "../fakes/image-layout.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";
import type { Fault } from "../fakes/registry-faults.ts";
import { uploadingClient } from "./uploading-client.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-transfer-faults-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const started: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

const image = multiPlatformLayout();
const { digest } = image.index;
const unobserved: TransferObserver = { found: () => {}, passed: () => {}, done: () => {} };
const login = { kind: "basic", username: "ci", password: "secret" } as const;

type Direction = "push" | "mount" | "pull";
type Kind = { readonly direction: Direction; readonly request: RegExp; readonly inPieces?: boolean };

/** Every kind of request that a push, a push from a neighbouring repository, and a pull consist of. */
const kinds: Readonly<Record<string, Kind>> = {
  "the token of a push": { direction: "push", request: /^(GET|POST) \/token/ },
  "the question for a blob": { direction: "push", request: /^HEAD .*\/blobs\// },
  "the start of an upload": { direction: "push", request: /^POST .*\/uploads\// },
  "a piece of an upload": { direction: "push", request: /^PATCH /, inPieces: true },
  "the question how far an upload came": { direction: "push", request: /^GET .*\/uploads\//, inPieces: true },
  "the end of an upload": { direction: "push", request: /^PUT .*\/uploads\// },
  "the question for a manifest": { direction: "push", request: /^HEAD .*\/manifests\// },
  "an inner manifest of a push": { direction: "push", request: /^PUT .*\/manifests\/sha256/ },
  "the last manifest of a push": { direction: "push", request: /^PUT .*\/manifests\/1/ },
  "a mount": { direction: "mount", request: /^POST .*\/uploads\// },
  "the token of a pull": { direction: "pull", request: /^(GET|POST) \/token/ },
  "the first manifest of a pull": { direction: "pull", request: /^GET .*\/manifests\/1/ },
  "an inner manifest of a pull": { direction: "pull", request: /^GET .*\/manifests\/sha256/ },
  "a blob of a pull": { direction: "pull", request: /^GET .*\/blobs\/sha256/ },
};

/** A registry with the image as `acme/base:1`, and with nothing in `acme/app`. */
async function startRegistry({ inPieces = false }: Kind): Promise<FakeRegistry> {
  const registry = startFakeRegistry({
    auth: { kind: "bearer", username: "ci", password: "secret" },
    ...(inPieces ? { uploads: { largestRequest: 200 } } : {}),
  });
  started.push(registry);
  await push(registry.host, { direction: "push", to: "base" });
  registry.requests.length = 0;
  return registry;
}

async function push(host: string, { direction, to }: { direction: Direction; to: string }): Promise<void> {
  const { client } = uploadingClient(login, { pieceSize: 150 });
  const base = parseImageReference(`${host}/acme/base:1`);
  const source =
    direction === "mount"
      ? await openRegistrySource(client, base)
      : await openLayoutSource(filesInMemory(image.files), undefined);
  const destination = parseImageReference(`${host}/acme/${to}:1`);
  const sink = openRegistrySink(client, { references: [destination], from: source.repository });
  await transferImage(source, sink, { root: source.root, concurrency: 2, observer: unobserved });
}

async function pull(host: string, output: string): Promise<void> {
  const { client } = uploadingClient(login);
  const source = await openRegistrySource(client, parseImageReference(`${host}/acme/base:1`));
  const sink = openLayoutSink(output, []);
  try {
    await transferImage(source, sink, { root: source.root, concurrency: 2, observer: unobserved });
  } finally {
    await sink.discard();
  }
}

/** Whether it succeeded, after checking that what is there now is the image, or else that there is nothing and why. */
async function outcomeOf(kind: Kind, { registry, host }: { registry: FakeRegistry; host: string }): Promise<string> {
  const { direction } = kind;
  const output = join(directory, crypto.randomUUID());
  const failure = await (direction === "pull" ? pull(host, output) : push(host, { direction, to: "app" })).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (failure !== undefined) {
    expect(failure).toBeInstanceOf(UserError);
    expect(failure).toMatchObject({ message: expect.stringContaining(host) });
    // Of the last manifest only the answer may have been lost.
    expect([undefined, digest]).toContain(registry.digestOf("acme/app", "1"));
    if (registry.digestOf("acme/app", "1") !== undefined) checkRepository(registry);
    expect(readdirSync(directory).filter((name) => name.includes(basename(output)))).toEqual([]);
    return "error";
  }
  if (direction === "pull") await checkOutput(output);
  else checkRepository(registry);
  return "success";
}

async function checkOutput(output: string): Promise<void> {
  const source = await openLayoutSource(openFolder(output), undefined);
  expect(source.root.descriptor.digest).toBe(digest);
  expect((await validateLayout(openFolder(output), undefined)).faults).toEqual([]);
}

function checkRepository(registry: FakeRegistry): void {
  expect(registry.digestOf("acme/app", "1")).toBe(digest);
  for (const [path, bytes] of image.files) {
    const hex = /^blobs\/sha256\/(.*)$/.exec(path)?.[1];
    if (hex === undefined) continue;
    const content =
      registry.read("acme/app", "blobs", `sha256:${hex}`) ?? registry.read("acme/app", "manifests", `sha256:${hex}`);
    expect(sha256Of(content ?? new Uint8Array())).toBe(sha256Of(bytes));
  }
}

const statuses = [408, 429, 500, 502, 503, 504];
const forever = { times: 1000 };

test("no other kind of request is made, and no ping", async () => {
  for (const inPieces of [false, true]) {
    const registry = await startRegistry({ direction: "push", request: /./, inPieces });
    registry.faults.add(/^PATCH /, { kind: "status", status: 503 });
    await push(registry.host, { direction: "push", to: "app" });
    await push(registry.host, { direction: "mount", to: "other" });
    await pull(registry.host, join(directory, crypto.randomUUID()));
    const others = registry.requests
      .map(({ method, path }) => `${method} ${path}`)
      .filter((line) => !Object.values(kinds).some(({ request }) => request.test(line)));
    expect(others).toEqual([]);
  }
});

describe.each(Object.entries(kinds))("at %s", (name, kind) => {
  async function withFault(fault: Fault, options?: { times: number }): Promise<string> {
    const registry = await startRegistry(kind);
    // Only what was interrupted is asked how far it came.
    if (name === "the question how far an upload came") {
      registry.faults.add(/^PATCH /, { kind: "status", status: 503 }, { times: 1 });
    }
    registry.faults.add(kind.request, fault, options);
    const outcome = await outcomeOf(kind, { registry, host: registry.host });
    expect(registry.requests.filter(({ method, path }) => kind.request.test(`${method} ${path}`))).not.toEqual([]);
    return outcome;
  }

  test.each(statuses)("a %d that passes is waited for", async (status) => {
    expect(await withFault({ kind: "status", status })).toBe("success");
  });

  test.each(statuses)("a %d that stays is an error that says where, and leaves nothing", async (status) => {
    const outcome = await withFault({ kind: "status", status }, forever);
    // Where nothing can be mounted or taken up again it is sent anew.
    expect(outcome).toBe(name === "the question how far an upload came" ? "success" : "error");
  });

  test.each([
    ["once", 1],
    ["always", 1000],
  ] as const)("an answer cut short %s never makes a wrong image", async (_, times) => {
    for (const fault of [
      { kind: "truncate", bytes: 40 },
      { kind: "truncate", bytes: 0 },
      { kind: "hang-up" },
    ] as const) {
      const outcome = await withFault(fault, { times });
      const isContent = kind.direction === "pull" && !name.startsWith("the token");
      if (isContent && times > 1) expect(outcome).toBe("error");
    }
  });

  test("a connection that is reset is made anew", async () => {
    const registry = await startRegistry(kind);
    const proxy = await startCuttingProxy(registry.host);
    started.push(proxy);
    if (name === "the question how far an upload came") proxy.cut(/^PATCH /, { after: "answering" });
    proxy.cut(kind.request, { after: "answering" });
    expect(await outcomeOf(kind, { registry, host: proxy.host })).toBe("success");
    expect(proxy.pending()).toBe(0);
  });

  test("connections that are always reset are an error that says where, and leave nothing", async () => {
    const registry = await startRegistry(kind);
    const proxy = await startCuttingProxy(registry.host);
    started.push(proxy);
    if (name === "the question how far an upload came") proxy.cut(/^PATCH /, { after: "answering" });
    for (let count = 0; count < 200; count++) proxy.cut(kind.request, { after: "answering" });
    const outcome = await outcomeOf(kind, { registry, host: proxy.host });
    // When all of a blob came and only the answer is lost, asking for the blob tells.
    expect(outcome).toBe(name === "the end of an upload" ? "success" : "error");
    expect(proxy.pending()).toBeLessThan(200);
  });
});
