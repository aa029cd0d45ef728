import { beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describeBuilders, runEngine, runInImage } from "./builders.ts";
import { availableEngines, describeEngine, runCooper, type TestEngine } from "./engines.ts";
import {
  basicAuth,
  describeRegistries,
  dockerConfig,
  homeWithControlManifest,
  openGate,
  publishFeature,
} from "./registries.ts";
import { devcontainerJson, imageOf, localFeature, messageOf, openScene } from "./workspace.ts";

describeRegistries(({ plain, basic, token, anonymous }) => {
  describeBuilders(
    (builder) => {
      const { engine } = builder;
      const scene = openScene();
      const namespace = `private/${scene.id}`;
      let digests: { one: string; needed: string };
      const home = homeWithControlManifest(scene);

      const publish = async () => {
        const needed = await publishFeature(
          plain,
          { repository: `${namespace}/needed`, tag: "1" },
          {
            manifest: { id: "needed", version: "1.2.3", options: { word: { type: "string", default: "default" } } },
            install: 'echo "needed $WORD" >>/order',
          },
        );
        const one = await publishFeature(
          plain,
          { repository: `${namespace}/one`, tag: "1" },
          {
            manifest: {
              id: "one",
              version: "1.0.1",
              options: { version: { type: "string", default: "latest" } },
              dependsOn: { [`${plain}/${namespace}/needed:1`]: { word: "from one" } },
            },
            install: 'echo "one $VERSION" >>/order',
          },
        );
        return { one, needed };
      };
      beforeAll(async () => {
        digests = await publish();
      });
      const project = (features: object) =>
        scene.workspace(devcontainerJson({ image: "debian:bookworm-slim", features }));
      const lockfileOf = (folder: string) => join(folder, ".devcontainer/devcontainer-lock.json");
      const private_ = (registry: string) => ({ [`${registry}/${namespace}/needed:1`]: { word: registry } });
      const build = (folder: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) =>
        scene.build(builder, folder, { env: { GITHUB_TOKEN: "", ...env }, args, home });

      test("a Feature and what it depends on come from a registry, and the lockfile pins both", async () => {
        const id = `${plain}/${namespace}/one:1`;
        const folder = project({ [id]: "7" });
        const image = imageOf(await build(folder, dockerConfig(scene, {})));
        expect(await runInImage(engine, image, "cat /order")).toBe("needed from one\none 7\n");
        const needed = `${plain}/${namespace}/needed`;
        expect(readFileSync(lockfileOf(folder), "utf8")).toBe(
          `${JSON.stringify(
            {
              features: {
                [`${needed}:1`]: {
                  version: "1.2.3",
                  resolved: `${needed}@${digests.needed}`,
                  integrity: digests.needed,
                },
                [id]: {
                  version: "1.0.1",
                  resolved: `${plain}/${namespace}/one@${digests.one}`,
                  integrity: digests.one,
                  dependsOn: [`${needed}:1`],
                },
              },
            },
            null,
            2,
          )}\n`,
        );
      });

      test("a login is found in the docker configuration, the environment and a credential helper", async () => {
        const helpers = scene.directory("bin");
        const helper = join(helpers, "docker-credential-cooper-test");
        writeFileSync(
          helper,
          `#!/bin/sh\nread -r server\ncase "$1 $server" in "get ${basic}"|"get ${token}") echo '{"Username":"ci","Secret":"secret"}';; *) echo "credentials not found in native keychain"; exit 1;; esac\n`,
        );
        chmodSync(helper, 0o755);
        const path = { PATH: `${helpers}${delimiter}${process.env["PATH"]}` };
        const login = { auth: basicAuth("ci", "secret") };
        for (const registry of [basic, token]) {
          const ways = {
            auths: dockerConfig(scene, { auths: { [registry]: login } }),
            variable: { ...dockerConfig(scene, {}), DEVCONTAINERS_OCI_AUTH: `other.test|a|b,${registry}|ci|secret` },
            credHelpers: { ...dockerConfig(scene, { credHelpers: { [registry]: "cooper-test" } }), ...path },
            credsStore: { ...dockerConfig(scene, { auths: { [registry]: {} }, credsStore: "cooper-test" }), ...path },
            ...(registry === token
              ? {
                  identitytoken: dockerConfig(scene, {
                    auths: { [registry]: { identitytoken: "refresh-token-of-ci" } },
                  }),
                }
              : {}),
          };
          for (const [way, env] of Object.entries(ways)) {
            // Without what earlier ways have fetched.
            rmSync(join(home, "cache", "cooper", "blobs"), { recursive: true, force: true });
            const image = imageOf(await build(project(private_(registry)), env));
            expect({ way, image }).toEqual({ way, image: expect.stringContaining("localhost/cooper/") });
          }
        }
        const folder = project({ ...private_(basic), ...private_(token) });
        const both = dockerConfig(scene, { auths: { [basic]: login, [token]: login } });
        const image = imageOf(await build(folder, both));
        expect(await runInImage(engine, image, "sort /order")).toBe(
          `needed ${basic}\nneeded ${token}\n`.split("\n").sort().join("\n").trimStart().concat("\n"),
        );
      });

      test("no login and a wrong one are errors that name the registry and where it looked, but no password", async () => {
        for (const registry of [basic, token]) {
          const folder = project(private_(registry));
          const none = await build(folder, dockerConfig(scene, {}));
          const config = dockerConfig(scene, { auths: { [registry]: { auth: basicAuth("ci", "not-the-password") } } });
          const wrong = await build(folder, config);
          const variable = await build(folder, {
            ...config,
            DEVCONTAINERS_OCI_AUTH: `${registry}|ci|not-the-password`,
          });
          for (const [run, place] of [
            [none, "config.json"],
            [wrong, "config.json"],
            [variable, "DEVCONTAINERS_OCI_AUTH"],
          ] as const) {
            expect(messageOf(run)).toContain(registry);
            expect(messageOf(run)).toContain(`Feature '${registry}/${namespace}/needed:1' could not be processed.`);
            expect(run.stderr).toContain(place);
            expect(run.stdout + run.stderr).not.toContain("not-the-password");
            expect(run.stdout + run.stderr).not.toContain(basicAuth("ci", "not-the-password"));
          }
          expect(existsSync(lockfileOf(folder))).toBe(false);
        }
      });

      test("what the lockfile pins stays, without any network, until it is told to go", async () => {
        const gate = openGate(plain);
        const repository = `${namespace}/moving`;
        const publishVersion = (version: string) =>
          publishFeature(
            plain,
            { repository, tag: "1" },
            { manifest: { id: "moving", version }, install: `echo ${version} >/version` },
          );
        const old = await publishVersion("1.0.0");
        const id = `${gate.host}/${repository}:1`;
        const folder = project({ [id]: {} });
        const anonymous = dockerConfig(scene, {});
        expect(messageOf(await build(folder, anonymous, ["--frozen-lockfile"]))).toBe("Lockfile does not exist.");
        const first = imageOf(await build(folder, anonymous));
        const lockfile = readFileSync(lockfileOf(folder), "utf8");
        expect(lockfile).toContain(old);

        await publishVersion("1.0.1");
        // A cache of its own: the pinned content must come by its digest.
        const elsewhere = homeWithControlManifest(scene);
        const pinned = await scene.build(builder, folder, { env: anonymous, home: elsewhere, args: ["--no-cache"] });
        expect(imageOf(pinned)).toBe(first);
        expect(await runInImage(engine, first, "cat /version")).toBe("1.0.0\n");
        const unlocked = imageOf(await build(folder, anonymous, ["--no-lockfile"]));
        expect(unlocked).not.toBe(first);
        expect(await runInImage(engine, unlocked, "cat /version")).toBe("1.0.1\n");
        expect(readFileSync(lockfileOf(folder), "utf8")).toBe(lockfile);

        const asked = gate.requests.length;
        await gate.close();
        const offline = await build(folder, anonymous, ["--frozen-lockfile", "--no-cache"]);
        expect(imageOf(offline)).toBe(first);
        expect(gate.requests.length).toBe(asked);
        const withoutPin = await build(folder, anonymous, ["--no-lockfile"]);
        expect(messageOf(withoutPin)).toContain(gate.host);

        writeFileSync(lockfileOf(folder), lockfile.replaceAll(old, `sha256:${"0".repeat(64)}`));
        const unknown = await build(folder, anonymous);
        expect(messageOf(unknown)).toContain(`Feature '${id}' could not be processed.`);
      });

      test("a frozen lockfile that says something else is an error, and stays as it is", async () => {
        const id = `${plain}/${namespace}/needed:1`;
        const folder = project({ [id]: {} });
        const locked = JSON.stringify({
          features: {
            [`${plain}/${namespace}/other:1`]: {
              version: "1.0.0",
              resolved: `${plain}/x@${digests.one}`,
              integrity: digests.one,
            },
          },
        });
        writeFileSync(lockfileOf(folder), locked);
        const run = await build(folder, dockerConfig(scene, {}), ["--frozen-lockfile"]);
        expect(messageOf(run)).toBe("Lockfile does not match.");
        expect(run.stderr).toContain(id);
        expect(readFileSync(lockfileOf(folder), "utf8")).toBe(locked);
        writeFileSync(
          lockfileOf(folder),
          JSON.stringify({ features: { [id]: { resolved: `${plain}/x@${digests.one}`, integrity: digests.one } } }),
        );
        const other = await build(folder, dockerConfig(scene, {}));
        expect(other.outcome.outcome).toBe("error");
      });
    },
    ["BuildKit", "podman"],
  );

  describeEngine("docker", (pusher) => {
    const scene = openScene();

    test("a base image of a registry gives the same plan on every engine, before and after it was pulled", async () => {
      const repository = `cooper-test/${scene.id}/base`;
      const metadata = JSON.stringify([{ remoteUser: "nobody" }, { containerEnv: { A: "b" } }]);
      const base = await scene.baseImage(
        pusher,
        "base",
        `ENV OF_BASE=1\nUSER games\nLABEL devcontainer.metadata='${metadata}'`,
      );
      const pushed = `${plain}/${repository}:1`;
      await runEngine(pusher, ["tag", base, pushed]);
      await runEngine(pusher, ["push", "--quiet", pushed]);
      await runEngine(pusher, ["rmi", pushed]);
      const reference = `${anonymous}/${repository}:1`;
      const folder = scene.workspace({
        ...devcontainerJson({ build: { dockerfile: "Dockerfile" }, features: { "./one": {} } }),
        ".devcontainer/Dockerfile": `FROM ${reference}\nRUN true\n`,
        ...localFeature("one", "true"),
      });
      const engines = availableEngines().filter(({ reason }) => reason === undefined);
      const plan = async (engine: TestEngine) => {
        const { stdout, stderr } = await runCooper(["plan", "--workspace-folder", folder], { engine });
        expect(stderr).toBe("");
        return stdout;
      };
      const plans = new Set<string>();
      for (const engine of engines) {
        plans.add(await plan(engine));
        await runEngine(engine, ["pull", reference]);
        plans.add(await plan(engine));
        await runEngine(engine, ["rmi", reference]);
      }
      const [text = "", ...others] = plans;
      expect(others).toEqual([]);
      expect(text).toContain('"remote": "nobody"');
      expect(text).toContain('"image": "games"');
    });
  });
});
