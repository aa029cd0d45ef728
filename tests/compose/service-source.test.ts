import { expect, test } from "bun:test";
import { readComposeModel } from "../../src/compose/compose-model.ts";
import { checkRunServices, findService } from "../../src/compose/find-service.ts";
import { servicePlatform, serviceSource } from "../../src/compose/service-source.ts";

/** The source of the service `app` of a project as Compose prints it. */
function sourceOf(app: object, others: object = {}) {
  const model = readComposeModel(JSON.stringify({ name: "p", services: { app }, ...others }).replaceAll("$", "$$$$"));
  return serviceSource(model, "app", findService(model, "app"));
}

function buildOf(build: object, others: object = {}) {
  const source = sourceOf({ build: { context: "/work", ...build } }, others);
  if (source.kind !== "build") throw new Error("no build");
  return source.build;
}

test("a service with an image alone is that image", () => {
  expect(sourceOf({ image: "debian:12", command: null })).toEqual({ kind: "image", reference: "debian:12" });
});

test("a build wins over the image, which then is only its name", () => {
  expect(sourceOf({ image: "acme/app", build: { context: "/work" } }).kind).toBe("build");
});

test("a build has its Dockerfile in its context, unless it says otherwise", () => {
  expect(buildOf({}).dockerfile).toMatchObject({ kind: "file", path: "/work/Dockerfile" });
  expect(buildOf({ dockerfile: "docker/a.Dockerfile" }).dockerfile).toMatchObject({
    path: "/work/docker/a.Dockerfile",
  });
  expect(buildOf({ dockerfile: "/elsewhere/Dockerfile" }).dockerfile).toMatchObject({ path: "/elsewhere/Dockerfile" });
  expect(buildOf({ dockerfile_inline: "FROM a\nRUN echo $X" }).dockerfile).toEqual({
    kind: "inline",
    text: "FROM a\nRUN echo $X",
    name: "dockerfile_inline of app",
  });
});

test("everything that a build says reaches the build command", () => {
  const build = buildOf(
    {
      target: "dev",
      args: { A: "a$b", N: "1", UNSET: null },
      cache_from: ["acme/cache"],
      additional_contexts: {
        folder: "/work/other",
        image: "docker-image://debian:12",
        git: "https://a.test/b.git#main",
      },
      secrets: [{ source: "file" }, { source: "variable", target: "renamed" }],
      ssh: ["default", "key: /home/me/key", "other=/k"],
      network: "host",
      extra_hosts: ["one=1.2.3.4", "two:::1"],
      shm_size: "67108864",
      ulimits: { nofile: { soft: 10, hard: 20 }, nproc: 5 },
      labels: { "a.b": "$c" },
      tags: ["acme/app:1"],
      no_cache: true,
      pull: true,
      entitlements: ["network.host"],
    },
    { secrets: { file: { file: "/work/a,b" }, variable: { environment: "TOKEN" } } },
  );
  expect(build).toMatchObject({
    target: "dev",
    buildArgs: { A: "a$b", N: "1" },
    cacheFrom: ["acme/cache"],
    namedContexts: {
      folder: { kind: "folder", path: "/work/other" },
      image: { kind: "image", reference: "debian:12" },
      git: { kind: "remote", location: "https://a.test/b.git#main" },
    },
    secrets: ['id=file,"src=/work/a,b"', "id=renamed,env=TOKEN"],
    ssh: ["default", "key=/home/me/key", "other=/k"],
    labels: { "a.b": "$c" },
    tags: ["acme/app:1"],
    noCache: true,
    ignored: [],
  });
  expect(build.options.join(" ")).toBe(
    "--network host --add-host one:1.2.3.4 --add-host two:::1 --shm-size 67108864 --ulimit nofile=10:20 --ulimit nproc=5 --allow network.host --pull",
  );
});

test("values are read in the other forms that versions of Compose print", () => {
  const build = buildOf(
    {
      args: ["A=1", "B=2=3", "UNSET"],
      extra_hosts: { one: ["1.2.3.4", "::1"], two: "5.6.7.8" },
      ssh: { default: null, key: "/k" },
      secrets: ["plain"],
      shm_size: 1024,
    },
    { secrets: { plain: { file: "/s" } } },
  );
  expect(build.buildArgs).toEqual({ A: "1", B: "2=3" });
  expect(build.options).toEqual([
    "--add-host",
    "one:1.2.3.4",
    "--add-host",
    "one:::1",
    "--add-host",
    "two:5.6.7.8",
    "--shm-size",
    "1024",
  ]);
  expect(build.ssh).toEqual(["default", "key=/k"]);
  expect(build.secrets).toEqual(["id=plain,src=/s"]);
});

test("what has no effect is named", () => {
  const build = buildOf({
    cache_to: ["type=local,dest=/x"],
    privileged: true,
    platforms: ["linux/amd64", "linux/arm64"],
  });
  expect(build.ignored).toEqual(["cache_to", "privileged", "platforms"]);
});

test("what only Compose could build is refused with a way out", () => {
  expect(() => buildOf({ context: "https://a.test/b.git" })).toThrow(
    "The Docker Compose service app is built from https://a.test/b.git, which is not a folder of this machine.",
  );
  expect(() => buildOf({ additional_contexts: { base: "service:other" } })).toThrow(
    "The build of the Docker Compose service app needs the image of another service (service:other).",
  );
  expect(() => buildOf({ secrets: [{ source: "gone" }] })).toThrow(
    "needs the secret gone, which comes neither from a file nor from the environment",
  );
  expect(() => sourceOf({})).toThrow("The Docker Compose service app has neither an image nor a build.");
});

test("the platform is the service's, else the only one of its build", () => {
  expect(servicePlatform(serviceOf({ platform: "linux/arm64", build: { platforms: ["linux/amd64"] } }))).toBe(
    "linux/arm64",
  );
  expect(servicePlatform(serviceOf({ build: { platforms: ["linux/amd64"] } }))).toBe("linux/amd64");
  expect(servicePlatform(serviceOf({ build: { platforms: ["linux/amd64", "linux/arm64"] } }))).toBeUndefined();
  expect(servicePlatform(serviceOf({ image: "a" }))).toBeUndefined();
});

function serviceOf(app: object) {
  return findService(readComposeModel(JSON.stringify({ services: { app } })), "app");
}

test("an unknown service is an error that knows the others", () => {
  const model = readComposeModel('{"services": {"web": {}, "db": {}}}');
  expect(failureOf(() => findService(model, "wbe"))).toMatchObject({
    message: "Service 'wbe' configured in devcontainer.json not found in Docker Compose configuration.",
    hint: 'Did you mean "web"?',
  });
  expect(failureOf(() => findService(model, "frontend"))).toMatchObject({ hint: "Its services: web, db." });
  expect(failureOf(() => findService(model, undefined))).toMatchObject({
    message: 'devcontainer.json has "dockerComposeFile" but no "service": which of its services is the dev container?',
  });
  expect(failureOf(() => findService(model, "constructor"))).toMatchObject({ hint: "Its services: web, db." });
});

test("an unknown name among runServices is an error that knows the others", () => {
  const model = readComposeModel('{"services": {"web": {}, "db": {}}}');
  checkRunServices(model, ["db", "web"]);
  expect(failureOf(() => checkRunServices(model, ["db", "wob"]))).toMatchObject({
    message: "Service 'wob' of \"runServices\" in devcontainer.json not found in Docker Compose configuration.",
    hint: 'Did you mean "web"?',
  });
});

test("an answer that is no project says where it is none", () => {
  expect(() => readComposeModel("no JSON")).toThrow("it is no project.");
  expect(() => readComposeModel('{"services": {"a": {"command": "text"}}}')).toThrow(
    "it is no project (services.a.command).",
  );
  expect(readComposeModel("{}")).toMatchObject({ services: {}, secrets: {} });
});

function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
