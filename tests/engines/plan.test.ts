import { beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describeBuilders } from "./builders.ts";
import { type CooperOptions, runCooper } from "./engines.ts";
import { type Files, imageOf, localFeature, openScene, writeFiles } from "./workspace.ts";

const planSchema = v.object({ hash: v.string(), tags: v.tuple([v.string()]), upToDate: v.boolean() });

describeBuilders((builder) => {
  const { engine } = builder;
  const scene = openScene();
  const plan = async (folder: string, options: CooperOptions & { readonly args?: readonly string[] } = {}) => {
    const { args = [], ...others } = options;
    const words = ["plan", "--workspace-folder", folder, ...builder.flags, ...args];
    const { exitCode, stdout, stderr } = await runCooper(words, { engine, ...others });
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  };
  const tagOf = async (folder: string, ...args: string[]) =>
    v.parse(planSchema, JSON.parse(await plan(folder, { args }))).tags[0];

  let base = "";
  let copied = "";
  beforeAll(async () => {
    base = await scene.baseImage(engine, "base", "USER nobody");
    copied = await scene.baseImage(engine, "copied", "LABEL a=1");
  });

  const config = (changes: object = {}, features: object = { "./a": { x: "1" }, "./b": {} }) => ({
    build: { dockerfile: "Dockerfile", context: "..", args: { BASE: base, COPIED: copied } },
    features,
    ...changes,
  });
  const dockerfile = `ARG BASE
ARG COPIED
FROM $COPIED AS copied
FROM $BASE AS dev
COPY --from=copied /etc/passwd /copied
COPY . /context
`;
  const project = (changes: Files = {}): Files => ({
    ".devcontainer/devcontainer.json": { json: config() },
    ".devcontainer/Dockerfile": dockerfile,
    ...localFeature("a", "true", { options: { x: { type: "string", default: "" } } }),
    ...localFeature("b", "true"),
    ".dockerignore": "*.log\n",
    "src/one.txt": "1",
    "src/two.txt": "2",
    "src/deep/er/three.txt": "3",
    "run.sh": { text: "#!/bin/sh\n", mode: 0o755 },
    link: { link: "src/one.txt" },
    ...changes,
  });

  test("a moved copy has the same plan, whenever, wherever, in whatever order and locale it was made", async () => {
    const files = project();
    const folder = scene.workspace(files);
    const copy = join(scene.directory("elsewhere"), "a", "b", `project-${scene.id}`);
    const before = process.umask(0o002);
    try {
      mkdirSync(copy, { recursive: true });
      writeFiles(copy, Object.fromEntries(Object.entries(files).reverse()));
    } finally {
      process.umask(before);
    }
    chmodSync(join(copy, "run.sh"), 0o775);
    const entries = readdirSync(copy, { recursive: true, withFileTypes: true });
    for (const [index, entry] of entries.entries()) {
      if (!entry.isSymbolicLink()) utimesSync(join(entry.parentPath, entry.name), 1e9 + index, 1e9 + index);
    }
    const elsewhere = {
      cwd: copy,
      env: { TZ: "Pacific/Kiritimati", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", USER: "x" },
    };
    const first = await plan(folder, {
      args: ["--platform", "linux/amd64"].slice(0, builder.kind === "classic" ? 0 : 2),
    });
    const second = await plan(copy, {
      ...elsewhere,
      args: ["--platform", "linux/amd64"].slice(0, builder.kind === "classic" ? 0 : 2),
    });
    expect(second).toBe(first);
    const text = await plan(folder, { args: ["--dockerfile"] });
    const random = /(feature-content:)[0-9a-f]{12}/;
    expect((await plan(copy, { ...elsewhere, args: ["--dockerfile"] })).replace(random, "$1")).toBe(
      text.replace(random, "$1"),
    );
  });

  test("what nobody builds from does not change the tag", async () => {
    const tag = await tagOf(scene.workspace(project()));
    const { build, features } = config();
    for (const changes of [
      { "noise.log": "ignored" },
      { ".devcontainer/devcontainer-lock.json": '{"features":{}}' },
      { ".devcontainer/devcontainer.json": { json: { features, build } } },
    ]) {
      // A context with devcontainer.json in it has another digest when its text is another.
      const ignore = { ".dockerignore": "*.log\n.devcontainer\n" };
      const isConfig = ".devcontainer/devcontainer.json" in changes;
      const [unchanged, changed] = isConfig
        ? [
            await tagOf(scene.workspace(project(ignore))),
            await tagOf(scene.workspace(project({ ...ignore, ...changes }))),
          ]
        : [tag, await tagOf(scene.workspace(project(changes)))];
      expect({ changes: Object.keys(changes), tag: changed }).toEqual({
        changes: Object.keys(changes),
        tag: unchanged,
      });
    }
  });

  test("whatever goes into the image changes the tag", async () => {
    const json = (changes: object, features?: object): Files => ({
      ".devcontainer/devcontainer.json": { json: config(changes, features) },
    });
    const { build } = config();
    const variants: Readonly<Record<string, Files>> = {
      nothing: {},
      "an option": json({}, { "./a": { x: "2" }, "./b": {} }),
      "the order of Features": json({ overrideFeatureInstallOrder: ["./b", "./a"] }),
      "a Feature's script": { ".devcontainer/b/install.sh": "#!/bin/sh\nfalse\n" },
      "a user": json({ containerUser: "daemon" }),
      "a variable": json({ containerEnv: { A: "b" } }),
      metadata: json({ postCreateCommand: "true" }),
      "a build argument": json({ build: { ...build, args: { ...build.args, A: "b" } } }),
      "an option of the build": json({ build: { ...build, options: ["--no-cache"] } }),
      "the target": json({ build: { ...build, target: "copied" } }),
      "the Dockerfile": { ".devcontainer/Dockerfile": `${dockerfile}RUN true\n` },
      "a file": { "src/one.txt": "2" },
      "a new file": { "src/four.txt": "" },
      "a new folder": { "new/four.txt": "" },
      "a file's mode": { "run.sh": { text: "#!/bin/sh\n", mode: 0o644 } },
      "a link": { link: { link: "src/two.txt" } },
      "what is ignored": { ".dockerignore": "*.txt\n" },
    };
    const tags = await Promise.all(Object.values(variants).map((changes) => tagOf(scene.workspace(project(changes)))));
    const labelled = await tagOf(scene.workspace(project()), "--label", "a=b");
    expect(new Set([...tags, labelled]).size).toBe(Object.keys(variants).length + 1);
  });

  if (builder.kind !== "classic") {
    test("platforms are a set", async () => {
      const folder = scene.workspace({ ".devcontainer.json": { json: { image: "scratch" } } });
      const [one, other] = ["linux/amd64,linux/arm64", "linux/arm64,linux/amd64"];
      expect(await plan(folder, { args: ["--platform", one ?? ""] })).toBe(
        await plan(folder, { args: ["--platform", other ?? ""] }),
      );
    });
  }

  test("another image under the name of the base, or of one that is copied from, changes the tag", async () => {
    const folder = scene.workspace(project());
    const tags = [await tagOf(folder)];
    await scene.baseImage(engine, "copied", "LABEL a=2");
    tags.push(await tagOf(folder));
    await scene.baseImage(engine, "base", "USER daemon");
    tags.push(await tagOf(folder));
    expect(new Set(tags).size).toBe(3);
  });

  test("another image under a name that only COPY --from or RUN --mount mentions changes the tag", async () => {
    const mentioned = await scene.baseImage(engine, "mentioned", "LABEL a=1");
    const files = (line: string): Files => ({
      ".devcontainer.json": { json: { dockerFile: "Dockerfile" } },
      Dockerfile: `FROM ${base}\n${line}\n`,
    });
    const folders = [`COPY --from=${mentioned} /etc/passwd /copied`]
      .concat(builder.kind === "classic" ? [] : [`RUN --mount=type=bind,from=${mentioned},target=/x true`])
      .map((line) => scene.workspace(files(line)));
    const before = await Promise.all(folders.map((folder) => tagOf(folder)));
    await scene.baseImage(engine, "mentioned", "LABEL a=2");
    const after = await Promise.all(folders.map((folder) => tagOf(folder)));
    expect(after.filter((tag) => before.includes(tag))).toEqual([]);
  });

  test("plan writes nothing into the project, and --argv is what build runs", async () => {
    const folder = scene.workspace(project());
    const before = readdirSync(folder, { recursive: true });
    const home = scene.directory("home");
    const printed = await plan(folder, { args: ["--argv"], home });
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
    expect(existsSync(join(home, "cache", "cooper", "builds"))).toBe(false);
    const run = await scene.build(builder, folder, { args: ["--log-level", "debug"], home });
    const ran = [...run.stderr.matchAll(/^Start: Run: (.*)$/gm)].map(([, command]) => command ?? "");
    const normal = (text: string) =>
      text.replace(/builds\/build-\w{6}/g, "builds/build-").replace(/(feature-content:)[0-9a-f]{12}/g, "$1");
    expect(ran.map(normal)).toEqual(
      printed
        .trim()
        .split("\n")
        .slice(0, ran.length)
        .map((line) => normal(line).replace(/^DOCKER_BUILDKIT=0 /, "")),
    );
    expect(ran.length).toBe(builder.kind === "classic" ? 2 : 1);
    expect(readFileSync(join(folder, ".devcontainer/devcontainer-lock.json"), "utf8")).toBe('{\n  "features": {}\n}\n');
    imageOf(run);
  });
});
