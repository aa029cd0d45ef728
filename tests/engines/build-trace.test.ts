import { expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeBuilders, runEngine } from "./builders.ts";
import type { TestEngine } from "./engines.ts";
import { devcontainerJson, imageOf, localFeature, openScene } from "./workspace.ts";

const MAGIC = "magic-words-of-a-feature-source";

/** Folders whose times change, and what podman mounts into every build. */
const OF_THE_ENGINE = /^(?:(?:tmp|etc|run|proc|sys|dev)\/|etc\/(?:hosts|hostname|resolv\.conf)|run\/\.containerenv)$/;

/** Every path of every layer of a saved image, and the names of the layers' files that contain `text`. */
async function searchLayers(engine: TestEngine, image: string, { folder, text }: { folder: string; text: string }) {
  const archive = join(folder, "image.tar");
  await runEngine(engine, ["save", "-o", archive, image]);
  const unpack = async (file: string, into: string) => {
    mkdirSync(into);
    const child = Bun.spawn(["tar", "-xf", file, "-C", into]);
    if ((await child.exited) !== 0) throw new Error(`could not unpack ${file}`);
  };
  const saved = join(folder, "saved");
  await unpack(archive, saved);
  const [{ Layers }]: [{ Layers: string[] }] = JSON.parse(readFileSync(join(saved, "manifest.json"), "utf8"));
  const paths: string[] = [];
  const containing: string[] = [];
  // The base image's own layer is of no interest.
  for (const layer of Layers.slice(1)) {
    const bytes = await Bun.file(join(saved, layer)).bytes();
    const tar = bytes[0] === 0x1f && bytes[1] === 0x8b ? Bun.gunzipSync(bytes) : bytes;
    if (Buffer.from(tar).includes(text)) containing.push(layer);
    const list = Bun.spawn(["tar", "-t"], { stdin: new Blob([tar]), stdout: "pipe" });
    paths.push(...(await list.stdout.text()).split("\n").filter((path) => path !== ""));
  }
  return { paths: paths.sort(), containing };
}

describeBuilders(
  (builder) => {
    const scene = openScene();

    test("no layer has anything of a Feature but what it installed", async () => {
      const feature = localFeature("quiet", "mkdir /quiet && echo installed >/quiet/done", {
        options: { word: { type: "string", default: MAGIC } },
      });
      const files = {
        ...feature,
        ".devcontainer/quiet/data/source.txt": MAGIC,
        ".devcontainer/quiet/notes.md": MAGIC,
        "app.txt": "app",
      };
      for (const [name, source] of Object.entries({
        image: devcontainerJson({ image: "busybox:latest", features: { "./quiet": {} } }),
        dockerfile: {
          ...devcontainerJson({ build: { dockerfile: "Dockerfile", context: ".." }, features: { "./quiet": {} } }),
          ".devcontainer/Dockerfile": "FROM busybox:latest\nCOPY app.txt /app.txt\n",
        },
      })) {
        const image = imageOf(await scene.build(builder, scene.workspace({ ...files, ...source }, { name })));
        const found = await searchLayers(builder.engine, image, { folder: scene.directory("saved"), text: MAGIC });
        expect(found.containing).toEqual([]);
        expect(found.paths.filter((path) => !OF_THE_ENGINE.test(path))).toEqual([
          ...(name === "image" ? [] : ["app.txt"]),
          "quiet/",
          "quiet/done",
        ]);
      }
    });
  },
  ["BuildKit", "podman"],
);
