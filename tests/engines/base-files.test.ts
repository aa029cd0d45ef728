import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { selectImage } from "../../src/assembly/select-image.ts";
import { uninterrupted } from "../../src/host/interruption.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { parseImageTransport } from "../../src/oci/transport.ts";
import { createEngine } from "../../src/runtime/engine.ts";
import { cacheDirectory } from "../../src/store/directories.ts";
import { openImageSource } from "../../src/workflows/open-image-source.ts";
import { type BaseFilesPlace, readImageBaseFiles } from "../../src/workflows/read-base-files.ts";
import { toolsIn } from "../workflows/assemble-scene.ts";
import { runEngine } from "./builders.ts";
import { describeEngine } from "./engines.ts";
import { describeRegistries } from "./registries.ts";
import { openScene } from "./workspace.ts";

const scene = openScene();

/** Bases made of Debian: what their layers do to the files that are looked for. */
const bases = [
  ["as it is", "LABEL a=b"],
  [
    "with users added, a group file removed and a musl loader",
    "RUN useradd --uid 4242 somebody\nRUN rm /etc/group && ln -s x86_64-linux-gnu/ld-linux-x86-64.so.2 /lib/ld-musl-x86_64.so.1",
  ],
  [
    "with its users behind a symlink, no loader and apk",
    "RUN mkdir /private && mv /etc/passwd /private/users && ln -s ../private/users /etc/passwd && touch /sbin/apk",
  ],
  [
    "with a folder made anew, and its users in it",
    "RUN mkdir /far && echo old >/far/users\nRUN rm -r /far && mkdir /far && mv /etc/passwd /far/users && ln -s /far/users /etc/passwd",
  ],
] as const;

for (const name of ["docker", "docker-containerd", "podman"] as const) {
  describeEngine(name, (engine) =>
    describeRegistries(({ plain }) =>
      describe.each(bases)("a base %s", (label, instructions) => {
        test("has the same files read from its registry, without an engine, as in the engine", async () => {
          const local = await scene.baseImage(engine, `${name}-${label.replaceAll(/\W+/g, "-")}`, instructions);
          const remote = `${plain}/${scene.id}/${name}:${label.replaceAll(/\W+/g, "-")}`;
          await runEngine(engine, ["tag", local, remote]);
          try {
            await runEngine(engine, ["push", ...(name === "podman" ? ["--tls-verify=false"] : []), remote]);
          } finally {
            await runEngine(engine, ["rmi", remote]);
          }
          const here = createEngine(engine.path, createRunProcess({ ...process.env, ...engine.env }, uninterrupted));
          const image = (await here.inspectImages([local])).get(local);
          if (image === undefined) throw new Error(`there is no ${local}`);
          const inEngine = await look({ kind: "engine", engine: here, image }, engine.env);
          const source = await openImageSource(parseImageTransport(remote), toolsIn(scene.directory("home")));
          const platform = parsePlatform(image.platform);
          const wanted = await selectImage(source, { platform, what: remote });
          const { digest } = source.root.descriptor;
          const withoutEngine = await look({ kind: "source", source, image: wanted, digest }, {});
          expect(withoutEngine).toEqual(inEngine);
          expect(withoutEngine.found["/etc/passwd"] ?? withoutEngine.found["/etc/group"]).toContain(":x:");
          expect(Object.keys(withoutEngine.found).length).toBeGreaterThan(1);
        });
      }),
    ),
  );
}

/** The files that are found and the facts they tell, and that they are remembered. */
async function look(place: BaseFilesPlace, environment: Readonly<Record<string, string>>) {
  const home = scene.directory("home");
  const tools = toolsIn(home, { PATH: process.env["PATH"] ?? "", ...environment });
  const facts = await readImageBaseFiles({ place, reference: "acme/base", arch: "x64" }, tools);
  const folder = join(cacheDirectory(tools), "base-files");
  const [file = ""] = readdirSync(folder);
  const found: Record<string, string> = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const nothing: BaseFilesPlace =
    place.kind === "source" ? { ...place, image: { ...place.image, layers: [] } } : { ...place, engine: unused };
  expect(await readImageBaseFiles({ place: nothing, reference: "acme/base", arch: "x64" }, tools)).toEqual(facts);
  return { facts, found };
}

const unused = createEngine("/nothing", () => Promise.reject(new TypeError("no process is needed")));
