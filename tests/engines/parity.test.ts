import { beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { runInImage, type TestBuilder } from "./builders.ts";
import { BASE_IMAGE, describeEngine, runCooper, type TestEngine } from "./engines.ts";
import { EXAMPLES, NOTE } from "./fixtures/parity-examples.ts";
import { describeRegistries, dockerConfig, homeWithControlManifest, publishFeature } from "./registries.ts";
import { devcontainerJson, inspectImage, localFeature, openScene } from "./workspace.ts";

/** What a Feature sees otherwise with the reference CLI, and why that is not copied. */
const KNOWN_DIFFERENCES: readonly (readonly [seen: RegExp, instead: string, why: string])[] = [
  [/^_DEV_CONTAINERS_\w+=.*\n/gm, "", "the reference's own build arguments leak into every Feature's environment"],
  [
    /^_CONTAINER_USER=games:60\n_CONTAINER_USER_HOME=\n/gm,
    "_CONTAINER_USER=games\n_CONTAINER_USER_HOME=/usr/games\n",
    "with a group in USER the reference finds no home",
  ],
];

const referenceSchema = v.looseObject({ outcome: v.literal("success"), imageName: v.array(v.string()) });

describeEngine("docker", (engine) => {
  const scene = openScene();
  const builder: TestBuilder = { kind: "BuildKit", engine, flags: [] };
  let base = "";
  beforeAll(async () => {
    base = await scene.baseImage(
      engine,
      "labelled",
      `RUN useradd -m dev
ENV OF_BASE=1
LABEL devcontainer.metadata='${JSON.stringify([
        {
          id: "old",
          init: false,
          entrypoint: "/old",
          capAdd: ["SYS_PTRACE"],
          unknownProperty: { a: ["$HOME", "\\x"] },
        },
        { remoteUser: "dev", containerEnv: { OLD: "1" }, customizations: { vscode: { settings: {} } } },
      ])}' other=kept
USER dev`,
    );
  });

  for (const { name, files, args = [], onLabelled } of EXAMPLES) {
    test(`cooper builds what the reference CLI builds: ${name}`, async () => {
      const folder = scene.workspace(files(onLabelled ? base : BASE_IMAGE));
      const { reference, cooper } = await buildBoth({ folder, args, home: scene.directory("home"), env: {} });
      const [ours, theirs] = await Promise.all([cooper, reference].map((image) => inspectImage(engine, image)));
      expect(ours && describeImage(ours)).toEqual(theirs && describeImage(theirs));
      const script = "cat /noted 2>/dev/null; ls /shown /hidden 2>/dev/null; true";
      const [seen, instead] = await Promise.all([cooper, reference].map((image) => runInImage(engine, image, script)));
      expect(seen).toBe(KNOWN_DIFFERENCES.reduce((text, [from, to]) => text.replace(from, to), instead ?? ""));
    });
  }

  test("without a name, one is in the list that the reference CLI gives too", async () => {
    const folder = scene.workspace(devcontainerJson({ image: BASE_IMAGE }));
    const theirs = await runReference(["build", "--workspace-folder", folder], {
      engine,
      home: scene.directory("home"),
    });
    const ours = await scene.build(builder, folder);
    const names = v.parse(referenceSchema, JSON.parse(theirs)).imageName;
    expect(ours.outcome).toEqual({ outcome: "success", imageName: [expect.any(String)] });
    expect(names).toEqual([expect.any(String)]);
    await runInImage(engine, names[0] ?? "", "true");
    await Bun.spawn([engine.path, "rmi", "--force", ...names], { stdout: "ignore" }).exited;
  });

  describeRegistries(({ plain }) => {
    test("Features of registries are pinned by the same lockfile, byte for byte", async () => {
      const namespace = `parity/${scene.id}`;
      for (const id of ["alpha", "beta"]) {
        await publishFeature(
          plain,
          { repository: `${namespace}/${id}`, tag: "1" },
          {
            manifest: {
              id,
              version: "1.0.0",
              name: id,
              options: { version: { type: "string", default: "latest" } },
              ...(id === "alpha" ? { dependsOn: { [`${plain}/${namespace}/beta:1`]: { version: "7" } } } : {}),
            },
            install: NOTE,
          },
        );
      }
      const folder = scene.workspace({
        ...devcontainerJson({
          image: BASE_IMAGE,
          features: { [`${plain}/${namespace}/beta:1`]: "5", [`${plain}/${namespace}/alpha:1`]: {}, "./local": {} },
        }),
        ...localFeature("local", NOTE),
      });
      const env = dockerConfig(scene, {});
      const home = homeWithControlManifest(scene);
      const { reference, cooper, lockfiles } = await buildBoth({ folder, args: [], home, env });
      expect(lockfiles.cooper).toBe(lockfiles.reference ?? "");
      expect(lockfiles.cooper).toContain("sha256:");
      expect(describeImage(await inspectImage(engine, cooper))).toEqual(
        describeImage(await inspectImage(engine, reference)),
      );
      expect(await runInImage(engine, cooper, "cat /noted")).toBe(await runInImage(engine, reference, "cat /noted"));
    });
  });

  async function buildBoth(asked: {
    readonly folder: string;
    readonly args: readonly string[];
    readonly home: string;
    readonly env: Readonly<Record<string, string>>;
  }) {
    const { folder, args, home, env } = asked;
    const copy = join(scene.directory("copy"), `project-${scene.id}`);
    cpSync(folder, copy, { recursive: true });
    const names = [scene.imageName(engine, "reference"), scene.imageName(engine, "cooper")] as const;
    const common = [...args, "--workspace-folder"];
    const said = await runReference(["build", "--image-name", names[0], ...common, copy], { engine, home, env });
    const { outcome, imageName, ...others } = v.parse(referenceSchema, JSON.parse(said));
    // Newer versions of the reference CLI tell how logins were looked for; nobody needs it.
    expect(Object.keys(others)).toEqual(["ociAuthDiagnostics"]);
    const run = await runCooper(["build", "--image-name", names[1], ...common, folder], { engine, home, env });
    expect(JSON.parse(run.stdout)).toEqual({ outcome, imageName: [names[1]] });
    expect(imageName).toEqual([names[0]]);
    const lockfiles = { reference: readLockfile(copy), cooper: readLockfile(folder) };
    expect(lockfiles.cooper).toBe(lockfiles.reference ?? lockfiles.cooper);
    return { reference: names[0], cooper: names[1], lockfiles };
  }
});

/** Runs the reference CLI of node_modules; throws when it fails. */
async function runReference(
  args: readonly string[],
  options: { readonly engine: TestEngine; readonly home: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const { engine, home, env } = options;
  const words = [...args, "--docker-path", engine.path, "--user-data-folder", join(home, "reference")];
  const child = Bun.spawn(
    ["node", join(import.meta.dir, "../../node_modules/@devcontainers/cli/devcontainer.js"), ...words],
    {
      env: { ...process.env, ...engine.env, TMPDIR: home, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`the reference CLI failed: ${stdout}${stderr}`);
  return stdout;
}

function readLockfile(folder: string): string | undefined {
  for (const path of [".devcontainer/devcontainer-lock.json", ".devcontainer-lock.json"]) {
    if (existsSync(join(folder, path))) return readFileSync(join(folder, path), "utf8");
  }
  return undefined;
}

/** What both images have to agree in: all but cooper's own label; the metadata as JSON text, property order included. */
function describeImage(image: Awaited<ReturnType<typeof inspectImage>>) {
  const { User, Env, Entrypoint, Cmd, WorkingDir, Labels } = image;
  const { "dev.cooper.plan": _plan, "devcontainer.metadata": metadata = "[]", ...labels } = Labels;
  const entries = JSON.stringify(JSON.parse(metadata), null, 1);
  return { User: User || "root", Env: Env.toSorted(), Entrypoint, Cmd, WorkingDir: WorkingDir || "/", labels, entries };
}
