import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { askEngine, runEngine } from "./builders.ts";
import { availableEngines, BASE_IMAGE, type CooperResult, runCooper } from "./engines.ts";
import { describeNative } from "./native.ts";
import { responseSchema } from "./profile-scene.ts";

describe("archives of cooper's own engine and of the others", () => {
  const loaders = availableEngines().filter(({ name, reason }) => reason === undefined && name !== "docker-containerd");
  const made: { readonly remove: () => Promise<unknown> }[] = [];
  afterAll(async () => {
    for (const { remove } of made) await remove();
  });
  describeNative(
    (native) => {
      for (const engine of loaders) {
        test(`what ${engine.name} saved is loaded without an engine, and the other way round`, async () => {
          const base = `localhost/cooper-test-${native.id}/${engine.name}:1`;
          made.push({ remove: () => askEngine(engine, ["rmi", "--force", base]) });
          const apt = "RUN printf '#!/bin/sh\\n' >/usr/local/bin/apt-get && chmod +x /usr/local/bin/apt-get";
          await runEngine(engine, ["build", "-t", base, "-"], { stdin: `FROM ${BASE_IMAGE}\n${apt}\n` });
          const through = join(native.directory("base"), "base.tar");
          await runEngine(engine, ["save", "-o", through, base]);
          const copied = await native.run(["image", "copy", `docker-archive:${through}`, `store:${base}`]);
          expect(copied.exitCode).toBe(0);

          const folder = native.workspace({ "a.txt": "one\n" });
          const run = async (on: "engine" | "native", cache: string, name: string): Promise<CooperResult> => {
            const profile = join(folder, "..", `${name}.json`);
            writeFileSync(profile, JSON.stringify({ install_cmds: ["cp a.txt /installed"], reason: native.id + name }));
            const request = join(folder, "..", `${name}-request.json`);
            const asked = { repo_dir: folder, profile_path: profile, image_cache_dir: cache };
            writeFileSync(request, JSON.stringify(asked));
            const words = ["profile", "build", "--request", request, "--base-image", base];
            return on === "native" ? native.run([...words, "--backend", "native"]) : runCooper(words, { engine });
          };
          for (const [from, to] of [
            ["engine", "native"],
            ["native", "engine"],
          ] as const) {
            const cache = join(folder, "..", `cache-${engine.name}-${from}`);
            mkdirSync(cache);
            const name = `${engine.name}-${from}`;
            const built = v.parse(responseSchema, JSON.parse((await run(from, cache, name)).stdout));
            made.push({ remove: () => askEngine(engine, ["rmi", "--force", built.image_tag]) });
            const loaded = v.parse(responseSchema, JSON.parse((await run(to, cache, name)).stdout));
            expect([built.reused_cache, loaded.reused_cache]).toEqual([false, true]);
            expect(readFileSync(loaded.build_log_path, "utf8")).toBe(`Loaded cached image ${built.image_tag}.\n`);
            const words = ["/bin/sh", "-c", "cat /installed"];
            const seen =
              to === "native"
                ? (await native.run(["image", "run", built.image_tag, ...words])).stdout
                : await runEngine(engine, ["run", "--rm", built.image_tag, ...words]);
            expect(seen).toBe("one\n");
          }
        });
      }
    },
    ["root"],
  );
});
