import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describeBuilders, runEngine, runInImage, type TestBuilder } from "./builders.ts";
import { describeEngine, type TestEngine } from "./engines.ts";
import { describeRegistries } from "./registries.ts";
import {
  devcontainerJson,
  type Files,
  hasImage,
  imageOf,
  inspectImage,
  localFeature,
  messageOf,
  openScene,
} from "./workspace.ts";

const SMALL = "docker.io/library/busybox:latest";
const manifestSchema = v.object({
  manifests: v.optional(
    v.array(v.object({ platform: v.optional(v.object({ os: v.string(), architecture: v.string() })) })),
  ),
  config: v.optional(v.object({ digest: v.string() })),
});
const usageSchema = v.object({ BuildCache: v.array(v.object({ ID: v.string(), Description: v.string() })) });
const configSchema = v.object({ config: v.object({ Labels: v.record(v.string(), v.string()) }) });

const project = (base: string, install = "echo installed >/installed"): Files => ({
  ...devcontainerJson({ image: base, features: { "./one": {} } }),
  ...localFeature("one", install),
});

async function readManifest(registry: string, repository: string, tag: string) {
  const accept = ["index.v1", "manifest.v1"].map((kind) => `application/vnd.oci.image.${kind}+json`);
  const docker = ["manifest.list.v2", "manifest.v2"].map((kind) => `application/vnd.docker.distribution.${kind}+json`);
  const response = await fetch(`http://${registry}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: [...accept, ...docker].join(", ") },
  });
  expect(response.status).toBe(200);
  return v.parse(manifestSchema, await response.json());
}

/** The names of the members of an archive. */
async function listTar(file: string): Promise<string[]> {
  const child = Bun.spawn(["tar", "-tf", file], { stdout: "pipe" });
  return (await child.stdout.text()).split("\n").filter((name) => name !== "");
}

async function memberOf(file: string, member: string): Promise<string> {
  const child = Bun.spawn(["tar", "-xOf", file, member], { stdout: "pipe" });
  return child.stdout.text();
}

/** What both an archive's kinds and the run that wrote it have to be. */
async function expectArchives(builder: TestBuilder, scene: ReturnType<typeof openScene>): Promise<void> {
  const folder = scene.workspace(project(SMALL));
  const name = scene.imageName(builder.engine, "exported");
  const output = scene.directory("output");
  for (const [type, member] of [
    ["oci", "oci-layout"],
    ["docker", "manifest.json"],
  ] as const) {
    const file = join(output, `${type}.tar`);
    // Twice, as an archive that is there is to be replaced; relative, as from the current folder.
    for (const dest of [file, `./${type}.tar`]) {
      const args = ["--image-name", name, "--output", `type=${type},dest=${dest}`];
      const run = await scene.build(builder, folder, { args, cwd: output });
      expect(run.outcome).toEqual({ outcome: "success", imageName: [name] });
    }
    expect(await listTar(file)).toContain(member);
  }
  expect(readdirSync(output).sort()).toEqual(["docker.tar", "oci.tar"]);
  expect(JSON.parse(await memberOf(join(output, "docker.tar"), "manifest.json"))[0].RepoTags).toEqual([
    expect.stringContaining(`cooper-test-${scene.id}/exported`),
  ]);
}

describeBuilders(
  (builder) => {
    const { engine, kind } = builder;
    const scene = openScene();

    test("a platform that is asked for is built and is another plan", async () => {
      const folder = scene.workspace(project(SMALL));
      const plain = imageOf(await scene.build(builder, folder));
      const platform = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
      const asked = imageOf(await scene.build(builder, folder, { args: ["--platform", platform] }));
      expect(asked).not.toBe(plain);
      const { Os, Architecture } = await inspectImage(engine, asked);
      expect(`${Os}/${Architecture}`).toBe(platform);
      const other = await scene.build(builder, folder, { args: ["--platform", "linux/s390x"] });
      expect(messageOf(other)).toContain(
        `Could not find the base image ${SMALL}: the engine does not have it for linux/s390x.`,
      );
    });

    test("secrets reach the step that asks for them, and no layer, label or history", async () => {
      const secret = `secret-of-${scene.id}`;
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const folder = scene.workspace({
        ...devcontainerJson({ build: { dockerfile: "Dockerfile" }, features: { "./one": {} } }),
        ...localFeature("one", "test ! -e /run/secrets/word"),
        ".devcontainer/Dockerfile": `FROM ${SMALL}
# Secrets are no part of what BuildKit tells steps apart by.
RUN --mount=type=secret,id=word : ${scene.id} && sed 's/secret/known/' /run/secrets/word >/known
RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo yes >/agent
`,
      });
      const keys = scene.directory("keys");
      writeFileSync(join(keys, "word"), secret);
      writeFileSync(join(keys, "key"), privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
      const args = ["--secret", `id=word,src=${join(keys, "word")}`, "--ssh", `default=${join(keys, "key")}`];
      const image = imageOf(await scene.build(builder, folder, { args }));
      expect(await runInImage(engine, image, "cat /known /agent; ls /run/secrets 2>/dev/null; true")).toBe(
        `known-of-${scene.id}yes\n`,
      );
      const inspected = await runEngine(engine, ["image", "inspect", image]);
      const history = await runEngine(engine, ["history", "--no-trunc", image]);
      const archive = join(keys, "image.tar");
      await runEngine(engine, ["save", "-o", archive, image]);
      expect(inspected + history).not.toContain(secret);
      expect(readFileSync(archive).includes(secret)).toBe(false);
    });

    test("a folder is written with --output type=local", async () => {
      const folder = scene.workspace(project(SMALL));
      const dest = join(scene.directory("output"), "root");
      const name = scene.imageName(engine, "local");
      const args = ["--image-name", name, "--output", `type=local,dest=${dest}`];
      const run = await scene.build(builder, folder, { args });
      expect(run.outcome).toEqual({ outcome: "success", imageName: [name] });
      expect(readFileSync(join(dest, "installed"), "utf8")).toBe("installed\n");
      if (kind === "BuildKit") expect(await hasImage(engine, name)).toBe(false);
    });

    if (kind === "podman") {
      test("archives are written with --output", () => expectArchives(builder, scene));
    }
  },
  ["BuildKit", "podman"],
);

describeEngine("docker-containerd", (engine) => {
  const scene = openScene();
  const builder: TestBuilder = { kind: "BuildKit", engine, flags: [] };

  test("archives are written with --output", () => expectArchives(builder, scene));

  test("a base that was only ever built here is built upon, with and without the cache", async () => {
    // A name that might be a registry's, unlike those with localhost/ in front.
    const base = `cooper-test-${scene.id}-base`;
    await runEngine(engine, ["tag", await scene.baseImage(engine, "base", "RUN touch /base"), base]);
    const folder = scene.workspace({
      ...devcontainerJson({ build: { dockerfile: "Dockerfile" }, features: { "./one": {} } }),
      ...localFeature("one", "test -e /base && touch /one"),
      ".devcontainer/Dockerfile": `FROM ${base}\n`,
    });
    const image = imageOf(await scene.build(builder, folder));
    expect((await scene.build(builder, folder, { args: ["--log-level", "debug"] })).stderr).toContain(
      "Nothing changed",
    );
    expect(imageOf(await scene.build(builder, folder, { args: ["--no-cache"] }))).toBe(image);
    await runEngine(engine, ["rmi", base]);
  });
});

describeRegistries(({ plain, anonymous }) => {
  const pushed = (builder: TestBuilder, registry: string) => {
    const scene = openScene();
    const { engine } = builder;

    test("an image is pushed under all its names, with its labels, and can be pulled", async () => {
      const repository = `cooper-test/${scene.id}/pushed`;
      const names = [`${registry}/${repository}:1`, `${registry}/${repository}:latest`];
      const folder = scene.workspace(project(SMALL));
      const args = ["--push", ...names.flatMap((name) => ["--image-name", name])];
      const run = await scene.build(builder, folder, { args });
      expect(run.outcome).toEqual({ outcome: "success", imageName: names });
      for (const tag of ["1", "latest"]) {
        const { config } = await readManifest(plain, repository, tag);
        const blob = await fetch(`http://${plain}/v2/${repository}/blobs/${config?.digest}`);
        const { Labels } = v.parse(configSchema, await blob.json()).config;
        expect(JSON.parse(Labels["devcontainer.metadata"] ?? "")).toEqual([{ id: "./one" }]);
      }
      const [name = ""] = names;
      await runEngine(engine, ["rmi", "--force", ...names]).catch(() => "");
      await runEngine(engine, ["pull", name]);
      expect(await runInImage(engine, name, "cat /installed")).toBe("installed\n");
    });

    test("a registry that does not take an image is named", async () => {
      const name = "127.0.0.1:1/nobody/there:1";
      const run = await scene.build(builder, scene.workspace(project(SMALL)), {
        args: ["--push", "--image-name", name],
      });
      expect(messageOf(run)).toContain("127.0.0.1:1");
      expect(run.stderr).not.toContain("This is a bug");
    });
  };
  describeBuilders((builder) => pushed(builder, builder.kind === "podman" ? anonymous : plain), ["BuildKit", "podman"]);

  const cached = (builder: TestBuilder, registry: string) => {
    const scene = openScene();

    test("a cache in a registry spares a build elsewhere its steps", async () => {
      const repository = `${registry}/cooper-test/${scene.id}/cache`;
      // What is new each time the step runs shows whether it ran; the rest makes it a step of this test run alone.
      const folder = scene.workspace(project(SMALL, `cat /proc/sys/kernel/random/uuid >/unique # ${scene.id}`));
      const build = async (...args: string[]) => {
        const run = await scene.build(builder, folder, { args });
        const unique = await runInImage(builder.engine, imageOf(run), "cat /unique");
        await runEngine(builder.engine, ["rmi", "--force", imageOf(run)]);
        const [step = ""] = /build-features-src-one_0-[0-9a-f]{12}/.exec(run.stderr) ?? [];
        return { unique, step };
      };
      const first = await build("--cache-to", `type=registry,ref=${repository}`);
      await forgetStep(builder.engine, first.step);
      const second = await build();
      expect(second.unique).not.toBe(first.unique);
      await forgetStep(builder.engine, second.step);
      expect(await build("--cache-from", `type=registry,ref=${repository}`)).toEqual(first);
    });
  };
  describeEngine("docker-containerd", (engine) => {
    cached({ kind: "BuildKit", engine, flags: [] }, plain);
  });
});

/** Takes one step out of the engine's build cache. */
async function forgetStep(engine: TestEngine, step: string): Promise<void> {
  const usage = v.parse(usageSchema, JSON.parse(await runEngine(engine, ["system", "df", "-v", "--format", "json"])));
  const ids = usage.BuildCache.filter(({ Description }) => step !== "" && Description.includes(step)).map(
    ({ ID }) => ID,
  );
  if (ids.length === 0) throw new Error(`the build cache has no step ${JSON.stringify(step)}`);
  for (const id of ids) await runEngine(engine, ["builder", "prune", "--all", "--force", "--filter", `id=${id}`]);
}
