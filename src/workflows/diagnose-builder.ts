import { UserError } from "../errors.ts";
import { type Builder, detectBuilder } from "../runtime/builder.ts";
import type { BuilderFacts, CurrentBuilder } from "../runtime/diagnosis/check-builder.ts";
import { createEngine } from "../runtime/engine.ts";
import { type Ask, complaintOf } from "./diagnose-ask.ts";
import type { Tools } from "./tools.ts";

/** What a `build` would build with behind this engine; null when that cannot be told. */
export async function inspectBuilder(
  path: string,
  { tools, ask }: { tools: Tools; ask: Ask },
): Promise<BuilderFacts | null> {
  const named = tools.environment["BUILDX_BUILDER"] || undefined;
  const wishes = { buildkit: "auto" as const, named: named !== undefined };
  const [builder, version, current] = await Promise.all([
    detectBuilder(createEngine(path, ask.runProcess), wishes).catch(unlessInterrupted),
    ask.program(path, ["buildx", "version"]),
    ask.program(path, ["buildx", "inspect"]),
  ]);
  if (builder === null) return null;
  const isBuildx = builder.kind === "buildx";
  return {
    builder,
    named,
    // `github.com/docker/buildx v0.13.1 6a1b2c3`
    buildx: isBuildx && version.kind === "exited" ? /v?(\d+\.\d+\.\d+\S*)/.exec(version.stdout)?.[1] : undefined,
    current: isBuildx && current.kind === "exited" ? readCurrent(current) : undefined,
  };
}

function unlessInterrupted(error: unknown): Builder | null {
  if (error instanceof UserError) return null;
  throw error;
}

function readCurrent(answer: { stdout: string; stderr: string; exitCode: number }): CurrentBuilder | undefined {
  if (answer.exitCode !== 0) {
    const found = complaintOf(answer);
    return /no builder/i.test(found) ? { kind: "missing", found } : undefined;
  }
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(answer.stdout)?.[1] ?? "";
  return { kind: "found", name: field("Name"), driver: field("Driver"), status: field("Status") };
}
