import { UserError } from "../errors.ts";
import { type Builder, detectBuilder } from "../runtime/builder.ts";
import type { Engine } from "../runtime/engine.ts";
import { type GateContainer, gateCommand } from "../runtime/gate-command.ts";
import { engineKindOf, type LocalImage } from "../runtime/local-image.ts";
import { baseFactsOf } from "./look-up-images.ts";
import type { GateEnd, GateLimits, ProfileEngine } from "./profile-engine.ts";
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

/** What a client says that ends with 125 to 127 because it could not start the gate, whose own shell may end so too. */
const ENGINE_REFUSES = /^(?:docker: |Error: |unknown )/;
/** How long a container's end is waited for after its time is up. */
const GRACE_MILLISECONDS = 30_000;
/** More, and a timer would end at once. */
const LONGEST_MILLISECONDS = 2 ** 31 - 1 - GRACE_MILLISECONDS;
const KILL_INTERVAL_MILLISECONDS = 250;
/** Of what a client says instead of starting a container. */
const HEAD_CHARACTERS = 16_384;

async function runGateContainer(
  gate: GateContainer,
  { engine, timeoutMilliseconds, onOutput }: GateLimits & { readonly engine: Engine },
  tools: Tools,
): Promise<GateEnd> {
  const own = (...args: readonly string[]) =>
    tools.runProcess({ file: engine.path, args: [...args, gate.name], env: {} }, { regardless: true });
  const state = { timedOut: false, ended: false };
  const end = async () => {
    state.timedOut = true;
    // Its time may be up before the engine has made it.
    while (!state.ended) {
      await own("kill").catch(() => undefined);
      await Bun.sleep(KILL_INTERVAL_MILLISECONDS);
    }
  };
  const allowed = Math.min(timeoutMilliseconds, LONGEST_MILLISECONDS);
  const timer = setTimeout(end, allowed);
  let head = "";
  const take = (text: string) => {
    head = (head + text).slice(0, HEAD_CHARACTERS);
    onOutput(text);
  };
  try {
    const { exitCode } = await tools.runProcess(gateCommand(engine.path, gate), {
      onOutput: take,
      timeoutMilliseconds: allowed + GRACE_MILLISECONDS,
    });
    if (state.timedOut) return { kind: "timed_out" };
    if ([125, 126, 127].includes(exitCode) && ENGINE_REFUSES.test(head)) throw new UserError(head.trim());
    return { kind: "ended", exitCode };
  } catch (error) {
    if (state.timedOut && error instanceof UserError) return { kind: "timed_out" };
    throw error;
  } finally {
    clearTimeout(timer);
    state.ended = true;
    await own("rm", "--force", "--volumes");
  }
}
