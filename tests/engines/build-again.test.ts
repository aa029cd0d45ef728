import { expect, test } from "bun:test";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeBuilders, runEngine, runInImage } from "./builders.ts";
import {
  devcontainerJson,
  imageOf,
  inspectImage,
  leftoverContentImages,
  localFeature,
  openScene,
} from "./workspace.ts";

/** What `--log-level debug` says when a build is run. */
const BUILD_RUNS = /Run: .* build /;

describeBuilders((builder) => {
  const { engine } = builder;
  const scene = openScene();
  const configWith = (word: string) => ({
    build: { dockerfile: "Dockerfile", context: ".." },
    features: { "./word": { word } },
  });
  const project = (word: string) => ({
    ...devcontainerJson(configWith(word)),
    ".devcontainer/Dockerfile": "FROM debian:bookworm-slim\nCOPY file /file\n",
    ...localFeature("word", 'printf %s "$WORD" >/word', { options: { word: { type: "string", default: "" } } }),
    file: "first",
  });
  const debug = ["--log-level", "debug"];

  test("when nothing changed nothing is built, and with --no-cache everything is", async () => {
    const folder = scene.workspace(project("a"));
    const first = await scene.build(builder, folder, { args: debug });
    const image = imageOf(first);
    expect(first.stderr).toMatch(BUILD_RUNS);
    const { Id } = await inspectImage(engine, image);

    const second = await scene.build(builder, folder, { args: debug });
    expect(second.outcome).toEqual(first.outcome);
    expect(second.stderr).not.toMatch(BUILD_RUNS);
    expect(second.stderr).toContain(`Nothing changed: ${image} is up to date.`);
    expect((await inspectImage(engine, image)).Id).toBe(Id);

    const third = await scene.build(builder, folder, { args: [...debug, "--no-cache"] });
    expect(third.outcome).toEqual(first.outcome);
    expect(third.stderr).toMatch(/Run: .* build .*--no-cache/);
    expect((await inspectImage(engine, image)).Id).not.toBe(Id);
  });

  test("what changed in an option, a Feature's script or the context is in the new image", async () => {
    const folder = scene.workspace(project("a"));
    const images = [imageOf(await scene.build(builder, folder))];
    const change = async (file: string, text: string) => {
      writeFileSync(join(folder, file), text);
      images.push(imageOf(await scene.build(builder, folder)));
    };
    await change("file", "other");
    await change(".devcontainer/devcontainer.json", JSON.stringify(configWith("b")));
    await change(".devcontainer/word/install.sh", '#!/bin/sh\nprintf %s "new $WORD" >/word\n');
    expect(new Set(images).size).toBe(4);
    const contents = await Promise.all(images.map((image) => runInImage(engine, image, "cat /file; echo; cat /word")));
    expect(contents).toEqual(["first\na", "other\na", "other\nb", "other\nnew b"]);
  });

  test("a name that another image took is built again, under each of the names asked for", async () => {
    const folder = scene.workspace(devcontainerJson({ image: "debian:bookworm-slim", remoteUser: "root" }));
    const [one, two] = [scene.imageName(engine, "one"), scene.imageName(engine, "two:2")];
    const names = ["--image-name", one, "--image-name", two];
    const first = await scene.build(builder, folder, { args: names });
    expect(first.outcome).toEqual({ outcome: "success", imageName: [one, two] });
    const { Id } = await inspectImage(engine, one);
    expect((await inspectImage(engine, two)).Id).toBe(Id);

    const again = await scene.build(builder, folder, { args: [...names, ...debug] });
    expect(again.outcome).toEqual(first.outcome);
    expect(again.stderr).not.toMatch(BUILD_RUNS);

    await runEngine(engine, ["tag", "debian:bookworm-slim", two]);
    const repaired = await scene.build(builder, folder, { args: [...names, ...debug] });
    expect(repaired.stderr).toMatch(BUILD_RUNS);
    expect((await inspectImage(engine, two)).Labels["dev.cooper.plan"]).toMatch(/^[0-9a-f]{64}$/);
  });

  test("two builds of one project at once both succeed", async () => {
    const folder = scene.workspace(project("at once"));
    const copy = join(scene.directory("copy"), `project-${scene.id}`);
    cpSync(folder, copy, { recursive: true });
    const home = scene.directory("home");
    const runs = await Promise.all(
      [folder, folder, copy].map((path) => scene.build(builder, path, { home, args: debug })),
    );
    expect(new Set(runs.map(imageOf)).size).toBe(1);
    for (const run of runs) expect(await leftoverContentImages(engine, run)).toEqual([]);
  });
});
