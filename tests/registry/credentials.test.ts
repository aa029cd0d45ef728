import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Interrupted, UserError } from "../../src/errors.ts";
import { type CredentialSources, createFindCredential } from "../../src/registry/credentials.ts";

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "cooper-login-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const wanted = { domain: "ghcr.io", repository: "acme/dev" };

async function put(path: string, content: unknown, mode = 0o600): Promise<string> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content), { mode });
  return file;
}

function entry(username: string): { auth: string } {
  return { auth: btoa(`${username}:p`) };
}

function find(environment: CredentialSources["environment"] = {}, more: Partial<CredentialSources> = {}) {
  return createFindCredential({
    environment,
    homeDirectory: home,
    operatingSystem: "linux",
    askHelper: async () => undefined,
    ...more,
  });
}

test("with nothing anywhere, every place that was looked in is named", async () => {
  expect(await find()(wanted)).toEqual({
    credential: undefined,
    source: undefined,
    places: [
      "DEVCONTAINERS_OCI_AUTH",
      join(home, ".docker/config.json"),
      join(home, ".config/containers/auth.json"),
      "GITHUB_TOKEN",
    ],
  });
});

test("each source counts before those after it", async () => {
  const source = async (environment: CredentialSources["environment"] = {}) => (await find(environment)(wanted)).source;
  const environment = { GITHUB_TOKEN: "gt" };
  expect(await source(environment)).toBe("GITHUB_TOKEN");
  const podman = await put(".config/containers/auth.json", { auths: { "ghcr.io": entry("podman") } });
  expect(await source(environment)).toBe(podman);
  const docker = await put(".docker/config.json", { auths: { "ghcr.io": entry("docker") } });
  expect(await source(environment)).toBe(docker);
  expect(await source({ ...environment, DEVCONTAINERS_OCI_AUTH: "ghcr.io|ada|t" })).toBe("DEVCONTAINERS_OCI_AUTH");
});

test("DEVCONTAINERS_OCI_AUTH lists registries, and passwords may hold its separator", async () => {
  const lookup = find({ DEVCONTAINERS_OCI_AUTH: "other.io|x|y, ghcr.io|ada|a|b ,broken" });
  expect((await lookup(wanted)).credential).toEqual({ kind: "basic", username: "ada", password: "a|b" });
  expect((await lookup({ ...wanted, domain: "broken" })).credential).toBeUndefined();
});

test("GITHUB_TOKEN is for ghcr.io of github.com only", async () => {
  const credentialFor = async (environment: CredentialSources["environment"], domain = "ghcr.io") =>
    (await find({ GITHUB_TOKEN: "gt", ...environment })({ ...wanted, domain })).credential;
  const expected = { kind: "basic" as const, username: "USERNAME", password: "gt" };
  expect(await credentialFor({})).toEqual(expected);
  expect(await credentialFor({ GITHUB_HOST: "github.com" })).toEqual(expected);
  expect(await credentialFor({ GITHUB_HOST: "github.example" })).toBeUndefined();
  expect(await credentialFor({}, "evil.io")).toBeUndefined();
});

test("DOCKER_CONFIG, REGISTRY_AUTH_FILE and XDG directories move the login files", async () => {
  const docker = await put("d/config.json", { auths: { "ghcr.io": entry("docker") } });
  const named = await put("named.json", { auths: { "ghcr.io": entry("named") } });
  const runtime = await put("run/containers/auth.json", { auths: { "ghcr.io": entry("runtime") } });
  const XDG_RUNTIME_DIR = join(home, "run");
  expect((await find({ DOCKER_CONFIG: join(home, "d") })(wanted)).source).toBe(docker);
  expect((await find({ XDG_RUNTIME_DIR })(wanted)).source).toBe(runtime);
  expect((await find({ REGISTRY_AUTH_FILE: named, XDG_RUNTIME_DIR })(wanted)).source).toBe(named);
});

test("a helper named in Docker's configuration is asked first, with the name it knows the registry by", async () => {
  await put(".docker/config.json", { credsStore: "desktop", auths: { "ghcr.io": entry("written") } });
  const asked: string[][] = [];
  const askHelper: CredentialSources["askHelper"] = async (...question) => {
    asked.push(question);
    return question[1] === "ghcr.io" ? { username: "ada", secret: "s" } : { username: "<token>", secret: "rt" };
  };
  const lookup = find({}, { askHelper });
  expect(await lookup(wanted)).toMatchObject({
    credential: { kind: "basic", username: "ada", password: "s" },
    source: "docker-credential-desktop",
  });
  expect((await lookup({ domain: "docker.io", repository: "library/debian" })).credential).toEqual({
    kind: "refresh-token",
    token: "rt",
  });
  expect(asked).toEqual([
    ["desktop", "ghcr.io"],
    ["desktop", "https://index.docker.io/v1/"],
  ]);
});

test("a helper that has nothing or fails gives way to what is written", async () => {
  const docker = await put(".docker/config.json", { credsStore: "desktop", auths: { "ghcr.io": entry("written") } });
  expect((await find()(wanted)).source).toBe(docker);
  const failing = async () => Promise.reject(new UserError("it is not installed."));
  expect(await find({}, { askHelper: failing })(wanted)).toMatchObject({
    source: docker,
    places: ["DEVCONTAINERS_OCI_AUTH", "docker-credential-desktop (which failed: it is not installed)", docker],
  });
});

test("an interruption while a helper works is not taken for its failure", async () => {
  await put(".docker/config.json", { credsStore: "desktop" });
  const interrupted = async () => Promise.reject(new Interrupted("SIGINT"));
  await expect(find({}, { askHelper: interrupted })(wanted)).rejects.toBeInstanceOf(Interrupted);
});

test("the system's own helper is asked only when Docker's configuration names no login and it is installed", async () => {
  const asked: string[] = [];
  const askHelper: CredentialSources["askHelper"] = async (name) => {
    asked.push(name);
    return { username: "ada", secret: "s" };
  };
  const PATH = join(home, "bin");
  await find({ PATH }, { askHelper })(wanted);
  await put("bin/docker-credential-secretservice", "", 0o755);
  await put("bin/docker-credential-pass", "", 0o755);
  await find({ PATH }, { askHelper })(wanted);
  await put("bin/pass", "", 0o755);
  await find({ PATH }, { askHelper })(wanted);
  await put(".docker/config.json", { auths: { "other.io": {} } });
  await find({ PATH }, { askHelper })(wanted);
  expect(asked).toEqual(["secretservice", "pass"]);
});

test("a login file that cannot be read is named as such and does not stop the search", async () => {
  const docker = await put(".docker/config.json", "{ not json");
  const { source, places } = await find({ GITHUB_TOKEN: "gt" })(wanted);
  expect(source).toBe("GITHUB_TOKEN");
  expect(places).toContain(`${docker} (which cannot be read as JSON with logins)`);
});

test("a repository's login is looked for once", async () => {
  const docker = await put(".docker/config.json", { auths: { "ghcr.io": entry("docker") } });
  const lookup = find();
  expect((await lookup(wanted)).source).toBe(docker);
  await rm(docker);
  expect((await lookup(wanted)).source).toBe(docker);
});
