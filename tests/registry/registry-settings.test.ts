import { expect, test } from "bun:test";
import type { Fetch } from "../../src/host/fetch.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import { createRegistryClient } from "../../src/registry/registry-client.ts";
import { originUnder, readRegistrySettings } from "../../src/registry/registry-settings.ts";

test("nothing is plain and nothing has a mirror unless it is asked for", () => {
  expect(readRegistrySettings({})).toEqual({ plainHttp: new Set(), mirrors: new Map() });
});

test("registries and mirrors are lists, in the order given", () => {
  const settings = readRegistrySettings({
    COOPER_PLAIN_HTTP: "registry:5000, Old.example",
    COOPER_REGISTRY_MIRRORS: "docker.io=one.example,ghcr.io=two.example:5000,docker.io=three.example,",
  });
  expect([...settings.plainHttp]).toEqual(["registry:5000", "old.example"]);
  expect([...settings.mirrors]).toEqual([
    ["docker.io", ["one.example", "three.example"]],
    ["ghcr.io", ["two.example:5000"]],
  ]);
});

test.each([
  [{ COOPER_PLAIN_HTTP: "http://a.example" }, "COOPER_PLAIN_HTTP", '"http://a.example"'],
  [{ COOPER_REGISTRY_MIRRORS: "docker.io" }, "COOPER_REGISTRY_MIRRORS", '"docker.io"'],
  [{ COOPER_REGISTRY_MIRRORS: "docker.io=a=b" }, "COOPER_REGISTRY_MIRRORS", '"docker.io=a=b"'],
  [{ COOPER_REGISTRY_MIRRORS: "docker.io=https://a" }, "COOPER_REGISTRY_MIRRORS", '"https://a"'],
])("%o is told with where it was given", (environment, variable, found) => {
  expect(() => readRegistrySettings(environment)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(`${found} cannot be understood`),
      hint: expect.stringContaining(variable),
    }),
  );
});

test("only the registry that was named is spoken to without TLS, even one without a dot", () => {
  const originOf = originUnder(readRegistrySettings({ COOPER_PLAIN_HTTP: "registry:5000" }));
  expect(originOf("registry:5000")).toBe("http://registry:5000");
  expect(originOf("registry.example")).toBe("https://registry.example");
  expect(() => originOf("registry:5001")).toThrow("is not contacted");
});

test("a client speaks without TLS to whom it may, and logs in there", async () => {
  const urls: string[] = [];
  // Stands in for a registry elsewhere in the network, which a test on loopback cannot have.
  const fetch: Fetch = async ({ url, headers = {} }) => {
    urls.push(`${url}${headers["authorization"] === undefined ? "" : " with login"}`);
    if (url.startsWith("http://registry:5000/token")) return Response.json({ token: "abc" });
    const challenge = 'Bearer realm="http://registry:5000/token",service="x"';
    return headers["authorization"] === undefined
      ? new Response(null, { status: 401, headers: { "www-authenticate": challenge } })
      : new Response(null, { status: 404 });
  };
  const client = createRegistryClient({
    fetch,
    findCredential: async () => ({ credential: undefined, source: undefined, places: [] }),
    retry: { sleep: async () => undefined, now: () => 0 },
    plainHttp: new Set(["registry:5000"]),
  });
  const reference = parseImageReference("registry:5000/acme/app:1");
  await expect(client.manifest(reference)).rejects.toThrow("Could not find the manifest");
  expect(urls).toEqual([
    "http://registry:5000/v2/acme/app/manifests/1",
    "http://registry:5000/token?service=x&scope=repository%3Aacme%2Fapp%3Apull",
    "http://registry:5000/v2/acme/app/manifests/1 with login",
  ]);
});
