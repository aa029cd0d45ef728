import { afterEach, expect, test } from "bun:test";
import { createFetch } from "../../src/host/fetch.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { createRegistryClient } from "../../src/registry/registry-client.ts";
import { closingLocation, uploadLocation } from "../../src/registry/upload-location.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";

const started: FakeRegistry[] = [];
afterEach(() => Promise.all(started.splice(0).map((registry) => registry.stop())));

const url = "https://registry.example/v2/acme/app/blobs/uploads/";

function locationFor(location: string | undefined, from = url): string {
  const headers = location === undefined ? undefined : { location };
  return uploadLocation(new Response(null, { status: 202, ...(headers && { headers }) }), { url: from, what: "blob" });
}

test("an upload goes on where the registry says, on another host over TLS too", () => {
  expect(locationFor("/v2/x?_state=a%2Bb")).toBe("https://registry.example/v2/x?_state=a%2Bb");
  expect(locationFor("https://store.example/x")).toBe("https://store.example/x");
});

test("a registry that does not know that it is reached by TLS is still reached by TLS", () => {
  expect(locationFor("http://registry.example/v2/x")).toBe("https://registry.example/v2/x");
  const behindPort = "https://registry.example:5000/v2/";
  expect(locationFor("http://registry.example/v2/x", behindPort)).toBe("https://registry.example:5000/v2/x");
});

test.each([
  ["without TLS on another host", "http://store.example/x"],
  ["to a file", "file:///etc/passwd"],
  ["with a login in it", "https://ada:secret@store.example/x"],
  ["that is missing", undefined],
  ["that is no address", "https://"],
])("a location %s is refused", (_, location) => {
  expect(() => locationFor(location)).toThrow(/^Could not push the blob: registry\.example /);
});

test("what a location carries comes back as it was", () => {
  const closing = closingLocation("https://registry.example/x?_state=a%2Bb%3D&u=%7E", sha256Of(""));
  expect(closing).toBe(`https://registry.example/x?_state=a%2Bb%3D&u=%7E&digest=${encodeURIComponent(sha256Of(""))}`);
  expect(closingLocation("https://registry.example/x", sha256Of(""))).toStartWith("https://registry.example/x?digest=");
});

test("a login does not go along to another server that takes the upload", async () => {
  const store = startFakeRegistry();
  const auth = { kind: "basic", username: "ci", password: "secret" } as const;
  const registry = startFakeRegistry({ auth, uploads: { locationOrigin: `http://${store.host}` } });
  started.push(store, registry);
  const client = createRegistryClient({
    fetch: createFetch({ environment: {}, userAgent: "cooper/test" }),
    findCredential: async () => ({ credential: auth, source: "login.json", places: ["login.json"] }),
    retry: { sleep: async () => undefined, now: () => 0, attempts: 1 },
  });
  const place = { domain: registry.host, repository: "acme/app" };
  const upload = client.uploadBlob(place, {
    digest: sha256Of("x"),
    size: 1,
    async *open() {
      yield new TextEncoder().encode("x");
    },
  });
  await upload.catch(() => undefined);
  expect(store.requests.map(({ method }) => method)).toContain("PUT");
  expect(store.requests.filter(({ headers }) => headers["authorization"] !== undefined)).toEqual([]);
});
