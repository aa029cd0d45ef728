import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { AGENT_WORKSPACE_LABEL } from "../plan/plan-agent-container.ts";
import type { Engine } from "../runtime/engine.ts";
import { labelFilter } from "../runtime/label-filter.ts";
import type { AgentPresence } from "../store/agent-presence.ts";
import type { Guard } from "./find-guards.ts";
import type { Tools } from "./tools.ts";

/** Puts something at the guarded paths where there is nothing, for engines to mount over: else they would leave it there themselves. */
export function placeGuards(workspace: string, guards: readonly Guard[]): void {
  for (const { path, placeholder } of guards) {
    if (placeholder === undefined) continue;
    const place = join(workspace, path);
    try {
      if (placeholder.content === undefined) mkdirSync(place);
      else writeFileSync(place, placeholder.content, { flag: "wx" });
    } catch (cause) {
      if (codeOf(cause) === "EEXIST") continue;
      throw new UserError(`Could not keep an agent from writing ${place}: nothing could be put there.`, {
        hint: "An agent works in a folder that you can write to.",
        cause,
      });
    }
  }
}

/** What is known of who else works in a folder when an agent ends there. */
export interface GuardsEnd {
  readonly workspace: string;
  readonly guards: readonly Guard[];
  readonly engine: Engine;
  readonly presence: AgentPresence;
}

/**
 * Takes away what `placeGuards` put, as far as it is as it was, unless another agent works in the folder: what is taken away there is no
 * longer guarded in its container. The engine is asked only where a run was killed, which its container may have outlived.
 */
export async function takeGuards(
  { workspace, guards, engine, presence }: GuardsEnd,
  tools: Pick<Tools, "runProcess">,
): Promise<void> {
  const others = presence.leave();
  if (others === "running") return;
  if (others === "killed") {
    const args = ["ps", "--all", "--quiet", ...labelFilter(AGENT_WORKSPACE_LABEL, workspace)];
    const command = { file: engine.path, args, env: {} };
    // After an interruption too.
    const { exitCode, stdout } = await tools.runProcess(command, { regardless: true });
    if (exitCode !== 0 || stdout.trim() !== "") return;
    presence.forgetKilled();
  }
  for (const { path, placeholder } of guards) {
    if (placeholder === undefined) continue;
    const place = join(workspace, path);
    try {
      if (placeholder.content === undefined) rmdirSync(place);
      else if (readFileSync(place, "utf8") === placeholder.content) rmSync(place);
    } catch {
      // Gone, or somebody's by now.
    }
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : undefined;
}
