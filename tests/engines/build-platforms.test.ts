import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import * as v from "valibot";
import { askEngine, runEngine, type TestBuilder } from "./builders.ts";
import { availableEngines, describeEngine } from "./engines.ts";
import { describeRegistries } from "./registries.ts";
import { devcontainerJson, localFeature, messageOf, openScene } from "./workspace.ts";

/** An image that this test's engine has for both platforms. */
const BASE = "docker.io/library/alpine:latest";
const PLATFORMS = ["linux/amd64", "linux/arm64"];

const indexSchema = v.object({
  manifests: v.array(
    v.object({ digest: v.string(), platform: v.optional(v.object({ os: v.string(), architecture: v.string() })) }),
  ),
});
const manifestSchema = v.object({ config: v.object({ digest: v.string() }) });
const configSchema = v.object({
  config: v.object({
    Env: v.array(v.string()),
    User: v.optional(v.string()),
    Labels: v.record(v.string(), v.string()),
  }),
});

const unfit = await unfitness();
const describePlatforms = (name: string, body: () => void) =>
  unfit === undefined ? describe(name, body) : describe.skip(`${name} (skipped: ${unfit})`, body);

/** Why images of two platforms cannot be built here; undefined when they can. */
async function unfitness(): Promise<string | undefined> {
  const engine = availableEngines().find(({ name }) => name === "docker-containerd");
  if (engine === undefined || engine.reason !== undefined) return "there is no docker-containerd";
  for (const platform of PLATFORMS) {
    const { exitCode } = await askEngine(engine, ["run", "--rm", "--pull=never", "--platform", platform, BASE, "true"]);
    if (exitCode !== 0) return `docker-containerd cannot run ${BASE} for ${platform}`;
  }
  return undefined;
}

type Read = (digest: string) => Promise<unknown>;

/** What an index says of the images of each platform, read by digest. */
async function expectBothPlatforms(index: unknown, read: Read): Promise<void> {
  const images = v.parse(indexSchema, index).manifests.filter(({ platform }) => platform?.os === "linux");
  expect(images.map(({ platform }) => `${platform?.os}/${platform?.architecture}`).sort()).toEqual(PLATFORMS);
  const plans = new Set<string | undefined>();
  for (const { digest } of images) {
    const { config } = v.parse(manifestSchema, await read(digest));
    const { Labels, Env, User } = v.parse(configSchema, await read(config.digest)).config;
    expect(JSON.parse(Labels["devcontainer.metadata"] ?? "")).toEqual([{ id: "./where" }, { remoteUser: "root" }]);
    expect(Env).toContain("WHERE=here");
    expect(User ?? "").toMatch(/^(?:root)?$/);
    plans.add(Labels["dev.cooper.plan"]);
  }
  expect(plans.size).toBe(1);
}

describeEngine("docker-containerd", (engine) => {
  const scene = openScene();
  const builder: TestBuilder = { kind: "BuildKit", engine, flags: [] };
  const folder = scene.workspace({
    ...devcontainerJson({ image: BASE, features: { "./where": {} }, remoteUser: "root" }),
    ...localFeature("where", "uname -m >/machine", { containerEnv: { WHERE: "here" } }),
  });
  const both = ["--platform", PLATFORMS.toReversed().join(",")];

  describePlatforms("several platforms", () => {
    test("go into one archive, each with its labels", async () => {
      const archive = join(scene.directory("output"), "image.tar");
      const name = scene.imageName(engine, "both");
      const args = [...both, "--image-name", name, "--output", `type=oci,dest=${archive}`];
      const run = await scene.build(builder, folder, { args });
      expect(run.outcome).toEqual({ outcome: "success", imageName: [name] });
      const read: Read = async (digest) => JSON.parse(await memberOf(archive, `blobs/sha256/${digest.slice(7)}`));
      const layout = v.parse(indexSchema, JSON.parse(await memberOf(archive, "index.json")));
      await expectBothPlatforms(await read(layout.manifests[0]?.digest ?? ""), read);
    });

    test("are kept by an engine that can, and every build builds them", async () => {
      const name = scene.imageName(engine, "kept");
      const args = [...both, "--image-name", name, "--log-level", "debug"];
      for (let times = 0; times < 2; times += 1) {
        const run = await scene.build(builder, folder, { args });
        expect(run.outcome).toEqual({ outcome: "success", imageName: [name] });
        expect(run.stderr).toContain("Run: ");
      }
      const machines = await Promise.all(
        PLATFORMS.map((platform) =>
          askEngine(engine, ["run", "--rm", "--pull=never", "--platform", platform, name, "cat", "/machine"]),
        ),
      );
      expect(machines.map(({ stdout }) => stdout)).toEqual(["x86_64\n", "aarch64\n"]);
    });
  });

  describeRegistries(({ plain }) => {
    test.skipIf(unfit !== undefined)("several platforms are pushed as one image", async () => {
      const repository = `cooper-test/${scene.id}/both`;
      const name = `${plain}/${repository}:1`;
      const run = await scene.build(builder, folder, { args: [...both, "--push", "--image-name", name] });
      expect(run.outcome).toEqual({ outcome: "success", imageName: [name] });
      const get = async (path: string, accept: string) => {
        const response = await fetch(`http://${plain}/v2/${repository}/${path}`, { headers: { accept } });
        expect(response.status).toBe(200);
        return response.json();
      };
      const index = await get("manifests/1", "application/vnd.oci.image.index.v1+json");
      await expectBothPlatforms(index, async (digest) => {
        const isManifest = JSON.stringify(index).includes(digest);
        return get(`${isManifest ? "manifests" : "blobs"}/${digest}`, "application/vnd.oci.image.manifest.v1+json");
      });
    });
  });

  test("a platform that the base image is not for is named", async () => {
    const run = await scene.build(builder, folder, { args: ["--platform", "linux/amd64,linux/s390x"] });
    expect(messageOf(run)).toContain("s390x");
  });
});

async function memberOf(file: string, member: string): Promise<string> {
  const child = Bun.spawn(["tar", "-xOf", file, member], { stdout: "pipe" });
  return child.stdout.text();
}

describeEngine("podman", (engine) => {
  const scene = openScene();
  const builder: TestBuilder = { kind: "podman", engine, flags: [] };

  describeRegistries(({ plain, anonymous }) => {
    test.skipIf(unfit !== undefined)(
      "podman pushes several platforms under each name, and nothing of an earlier build",
      async () => {
        const repository = `cooper-test/${scene.id}/both`;
        const names = [`${anonymous}/${repository}:1`, `${anonymous}/${repository}:2`];
        const platforms = ["--platform", PLATFORMS.join(",")];
        const args = [...platforms, "--push", ...names.flatMap((name) => ["--image-name", name])];
        for (const word of ["first", "second"]) {
          // The base of both platforms is in the registries as well.
          const folder = scene.workspace({
            ...devcontainerJson({
              image: `${anonymous}/library/alpine:latest`,
              features: { "./where": {} },
              remoteUser: "root",
            }),
            ...localFeature("where", `echo ${word} >/word`, { containerEnv: { WHERE: "here" } }),
          });
          const run = await scene.build(builder, folder, { args });
          expect(run.outcome).toEqual({ outcome: "success", imageName: names });
        }
        for (const tag of ["1", "2"]) {
          const read = async (path: string) => {
            const types = ["oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.list.v2"];
            const accept = types.map((type) => `application/vnd.${type}+json`).join(", ");
            const response = await fetch(`http://${plain}/v2/${repository}/${path}`, { headers: { accept } });
            expect(response.status).toBe(200);
            return response.json();
          };
          const index = await read(`manifests/${tag}`);
          await expectBothPlatforms(index, (digest) =>
            read(`${JSON.stringify(index).includes(digest) ? "manifests" : "blobs"}/${digest}`),
          );
        }
        // Podman's rmi does not know the names of lists.
        for (const name of names) await runEngine(engine, ["manifest", "rm", name]);
      },
    );
  });
});
