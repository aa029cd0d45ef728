import { expect, test } from "bun:test";
import * as v from "valibot";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, type TestEngine } from "./engines.ts";
import { openUpScene } from "./up-scene.ts";
import { localFeature } from "./workspace.ts";

const hostConfig = v.looseObject({
  Privileged: v.boolean(),
  CapAdd: v.nullish(v.array(v.string()), []),
  SecurityOpt: v.nullish(v.array(v.string()), []),
  Init: v.nullish(v.boolean(), false),
});

async function hostConfigOf(engine: TestEngine, id: string) {
  return v.parse(hostConfig, JSON.parse(await runEngine(engine, ["inspect", "--format", "{{json .HostConfig}}", id])));
}

/** Why the engine cannot start a container with --init, if it cannot. */
async function whyNoInit(engine: TestEngine): Promise<string | undefined> {
  const { exitCode, stderr } = await askEngine(engine, ["run", "--rm", "--init", BASE_IMAGE, "true"]);
  return exitCode === 0 ? undefined : stderr.trim().split("\n").at(-1);
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, async (engine) => {
    const scene = openUpScene(engine);
    const { project, up, cooper, inContainer } = scene;
    const noInit = engine.reason === undefined ? await whyNoInit(engine) : "";

    const wishes = {
      privileged: true,
      capAdd: ["SYS_PTRACE"],
      securityOpt: ["seccomp=unconfined"],
      entrypoint: "echo one >>/entries",
      mounts: [
        { type: "tmpfs", target: "/scratch" },
        `type=volume,source=up-${scene.id}-\${devcontainerId},target=/kept`,
      ],
      containerEnv: { FROM_FEATURE: "in the image" },
      postCreateCommand: "echo hook >>/entries",
    };

    async function expectWishes(id: string): Promise<void> {
      const { Privileged, CapAdd, SecurityOpt } = await hostConfigOf(engine, id);
      expect(Privileged).toBe(true);
      // A podman that was told --privileged lists neither.
      if (name === "docker") expect(CapAdd).toEqual(["SYS_PTRACE"]);
      if (name === "docker") expect(SecurityOpt).toContain("seccomp=unconfined");
      const seen = await inContainer(
        id,
        "cat /entries; grep -cE ' /(scratch|kept) ' /proc/mounts; tr '\\0' '\\n' </proc/1/environ",
      );
      expect(seen.split("\n").slice(0, 4)).toEqual(["one", "two", "hook", "2"]);
      expect(seen).toContain("FROM_FEATURE=in the image\n");
      const volumes = await runEngine(engine, ["inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", id]);
      expect(volumes).toMatch(new RegExp(`up-${scene.id}-[0-9a-v]{52} `));
    }

    test("what Features say takes effect, also from a prebuilt image that carries only the label", async () => {
      const files = {
        ...localFeature("one", "true", wishes),
        ...localFeature("two", "true", { entrypoint: "echo two >>/entries", installsAfter: ["./one"] }),
      };
      const folder = project(
        { image: BASE_IMAGE, features: { "./two": {}, "./one": {} }, remoteEnv: { A: "1" } },
        files,
      );
      await expectWishes(await up(folder));
      const image = scene.imageName(engine, "prebuilt");
      const built = await cooper("build", folder, { args: ["--image-name", image] });
      expect(built.outcome.outcome).toBe("success");
      const prebuilt = project({ image, remoteEnv: { B: "${containerEnv:FROM_FEATURE}" } });
      await expectWishes(await up(prebuilt));
      const { mergedConfiguration } = (await cooper("up", prebuilt, { args: ["--include-merged-configuration"] }))
        .outcome;
      expect(mergedConfiguration).toMatchObject({
        privileged: true,
        entrypoints: ["echo one >>/entries", "echo two >>/entries"],
        remoteEnv: { A: "1", B: "in the image" },
      });
    });

    test("without overrideCommand false the image's command does not run; with it, it does, behind all entrypoints", async () => {
      const image = await scene.baseImage(
        engine,
        "command",
        'RUN printf \'#!/bin/sh\\necho own "$@" >>/entries; exec sleep 1000\\n\' >/own && chmod +x /own\nENTRYPOINT ["/own", "a b"]\nCMD ["c"]',
      );
      const features = { "./one": {} };
      const files = localFeature("one", "true", { entrypoint: "echo one >>/entries" });
      const kept = await up(project({ image, features }, files));
      expect(await inContainer(kept, "cat /entries")).toBe("one\n");
      const own = await up(project({ image, features, overrideCommand: false }, files));
      const wait = "until grep -q own /entries; do sleep 0.1; done; cat /entries; tr '\\0' ' ' </proc/1/cmdline";
      expect(await inContainer(own, wait)).toBe("one\nown a b c\nsleep 1000 ");
    });

    test("an entrypoint that fails does not keep the container from running", async () => {
      const files = localFeature("one", "true", { entrypoint: "false" });
      const id = await up(project({ image: BASE_IMAGE, features: { "./one": {} } }, files));
      expect((await inContainer(id, "echo here")).trim()).toBe("here");
    });

    test.skipIf(noInit !== undefined)(
      `a Feature's init reaps what is left over${noInit === undefined ? "" : ` (skipped: ${noInit})`}`,
      async () => {
        const files = localFeature("one", "true", { init: true });
        const id = await up(project({ image: BASE_IMAGE, features: { "./one": {} } }, files));
        expect((await hostConfigOf(engine, id)).Init).toBe(true);
      },
    );

    test("--mount adds to the mounts, and --remote-env to the environment of hooks but not of the container", async () => {
      const shared = scene.directory("shared");
      const folder = project({
        image: BASE_IMAGE,
        remoteEnv: { OWN: "configured" },
        postCreateCommand: "echo $GIVEN $OWN >/given",
      });
      const args = [
        "--mount",
        `type=bind,source=${shared},target=/shared`,
        "--mount",
        `type=volume,source=flag-${scene.id},target=/flag`,
      ];
      const id = await up(folder, { args: [...args, "--remote-env", "GIVEN=a=b", "--remote-env", "OWN=flag"] });
      expect(await inContainer(id, "cat /given; touch /shared/x; grep -c ' /flag ' /proc/mounts")).toBe(
        "a=b configured\n1\n",
      );
      expect(await inContainer(id, "tr '\\0' '\\n' </proc/1/environ")).not.toContain("GIVEN");
    });

    test("runArgs are handed on as they are", async () => {
      const id = await up(project({ image: BASE_IMAGE, runArgs: ["--hostname", "my-host", "--label", "a=b c $d"] }));
      expect(await inContainer(id, "hostname")).toBe("my-host\n");
      expect(await runEngine(engine, ["inspect", "--format", '{{index .Config.Labels "a"}}', id])).toBe("b c $d\n");
    });

    test("SIGTERM ends the container at once", async () => {
      const folder = project({ image: BASE_IMAGE });
      const id = await up(folder);
      await runEngine(engine, ["stop", "--time", "60", id]);
      expect(await runEngine(engine, ["inspect", "--format", "{{.State.ExitCode}}", id])).toBe("0\n");
    });
  });
}
