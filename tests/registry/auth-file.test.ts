import { expect, test } from "bun:test";
import { type AuthFile, credentialIn, helperFor, parseAuthFile, serverNameOf } from "../../src/registry/auth-file.ts";

function file(content: object): AuthFile {
  const parsed = parseAuthFile(JSON.stringify(content));
  if (parsed === undefined) throw new TypeError("expected a login file");
  return parsed;
}

function entry(username: string, password = "p"): { auth: string } {
  return { auth: btoa(`${username}:${password}`) };
}

function userFor(auths: object, domain: string, repository = "acme/dev"): string | undefined {
  const credential = credentialIn(file({ auths }), { domain, repository });
  return credential?.kind === "basic" ? credential.username : undefined;
}

test("a password may hold colons and end in the NULs that some clients write", () => {
  expect(
    credentialIn(file({ auths: { "ghcr.io": entry("ada", "a:b\0\0") } }), { domain: "ghcr.io", repository: "x/y" }),
  ).toEqual({
    kind: "basic",
    username: "ada",
    password: "a:b",
  });
});

test("an identity token counts before the name and password beside it", () => {
  const auths = { "acr.example": { ...entry("00000000"), identitytoken: "it" } };
  expect(credentialIn(file({ auths }), { domain: "acr.example", repository: "x" })).toEqual({
    kind: "refresh-token",
    token: "it",
  });
});

test.each(["ghcr.io", "https://ghcr.io", "http://ghcr.io/", "https://ghcr.io/v1/", "https://ghcr.io/v2"])(
  "the login of ghcr.io is found under %s",
  (key) => {
    expect(userFor({ [key]: entry("ada") }, "ghcr.io")).toBe("ada");
  },
);

test.each(["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"])(
  "the login of Docker Hub is found under %s",
  (key) => {
    expect(userFor({ [key]: entry("ada") }, "docker.io", "library/debian")).toBe("ada");
  },
);

test("the longest matching namespace wins, and another namespace's login is never used", () => {
  const auths = { "ghcr.io": entry("all"), "ghcr.io/acme": entry("acme"), "ghcr.io/acme/dev": entry("dev") };
  expect(userFor(auths, "ghcr.io", "acme/dev")).toBe("dev");
  expect(userFor(auths, "ghcr.io", "acme/develop")).toBe("acme");
  expect(userFor(auths, "ghcr.io", "acmeter/dev")).toBe("all");
  expect(userFor({ "ghcr.io/acme": entry("acme") }, "ghcr.io", "other/dev")).toBeUndefined();
  expect(userFor({ "docker.io/acme": entry("acme") }, "docker.io", "acme/dev")).toBe("acme");
});

test("ports and hosts are told apart exactly", () => {
  const auths = { "registry.example": entry("plain"), "registry.example:5000": entry("port") };
  expect(userFor(auths, "registry.example:5000")).toBe("port");
  expect(userFor(auths, "registry.example")).toBe("plain");
  expect(userFor(auths, "evil-registry.example")).toBeUndefined();
  expect(userFor(auths, "registry.example.evil")).toBeUndefined();
});

test("empty entries, as clients with a helper leave them, are no login", () => {
  expect(userFor({ "ghcr.io": {}, "https://ghcr.io": null }, "ghcr.io")).toBeUndefined();
  expect(userFor({ "ghcr.io": { auth: "bm9jb2xvbg==" } }, "ghcr.io")).toBeUndefined();
  expect(userFor({ "ghcr.io": { username: "ada", password: "p" } }, "ghcr.io")).toBe("ada");
});

test("a registry's own helper counts before the one for all", () => {
  const helpers = file({
    credHelpers: { "ghcr.io": "gh", "https://index.docker.io/v1/": "hub", "plain.io": "" },
    credsStore: "all",
  });
  expect(helperFor(helpers, "ghcr.io")).toBe("gh");
  expect(helperFor(helpers, "docker.io")).toBe("hub");
  expect(helperFor(helpers, "other.io")).toBe("all");
  expect(helperFor(helpers, "plain.io")).toBeUndefined();
  expect(helperFor(file({}), "ghcr.io")).toBeUndefined();
});

test("helpers know Docker Hub by its old address", () => {
  expect([serverNameOf("docker.io"), serverNameOf("ghcr.io")]).toEqual(["https://index.docker.io/v1/", "ghcr.io"]);
});

test.each(["", "[]", "{", '{"auths":[1]}', '{"auths":{"a":{"auth":5}}}'])("%j is no login file", (text) => {
  expect(parseAuthFile(text)).toBeUndefined();
});
