import { type Builder, detectBuilder } from "../runtime/builder.ts";
import type { Engine } from "../runtime/engine.ts";
import { engineKindOf, type LocalImage } from "../runtime/local-image.ts";
import { baseFactsOf } from "./look-up-images.ts";
import type { ProfileEngine } from "./profile-engine.ts";
import { runGateContainer } from "./run-gate-container.ts";
import { runProfileBuild } from "./run-profile-build.ts";
import type { Tools } from "./tools.ts";

/** An engine's client, what its engine was found to have, and whether BuildKit may be used. */
export interface ProfileClient {
  readonly engine: Engine;
  readonly images: ReadonlyMap<string, LocalImage>;
  readonly buildkit: "auto" | "never";
}

/** Docker or Podman, by its client, as what profiles are built and run on. */
export function createClientProfileEngine(client: ProfileClient, tools: Tools): ProfileEngine {
  const { engine, images } = client;
  const run = (...args: readonly string[]) => engine.run({ file: engine.path, args, env: {} });
  let builder: Promise<Builder> | undefined;
  return {
    findBase: (reference) => baseFactsOf({ reference, platform: undefined }, { engine, images }, tools),
    build: async (attempt) => {
      builder ??= selectBuilder(client, tools);
      return runProfileBuild(attempt, { builder: await builder, enginePath: engine.path }, tools);
    },
    saveArchive: async (tag, path) => {
      const isPodman = (await engine.ask(["save", "--help"])).stdout.includes("docker-archive");
      await run("save", ...(isPodman ? ["--format", "docker-archive"] : []), "-o", path, tag);
    },
    loadArchive: async (path, names) => {
      await run("load", "--input", path);
      const loaded = await engine.inspectImages(names);
      const found = names.find((name) => loaded.has(name));
      const [wanted] = names;
      if (found === undefined || wanted === undefined) return undefined;
      // The other engine's archive names it in full.
      if (found !== wanted) await run("tag", found, wanted);
      return loaded.get(found);
    },
    runGate: (gate, limits) => runGateContainer(gate, { ...limits, engine }, tools),
  };
}

function selectBuilder({ engine, images, buildkit }: ProfileClient, tools: Tools): Promise<Builder> {
  const named = (tools.environment["BUILDX_BUILDER"] ?? "") !== "";
  const [seen] = images.values();
  return detectBuilder(engine, { buildkit, named }, engineKindOf(seen));
}
