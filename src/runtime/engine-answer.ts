import type { Engine } from "./engine.ts";
import { failedCommand, unreachableEngine, unreachableReason } from "./engine-failure.ts";

/** What an engine's command prints; throws a UserError when it fails, an UnreachableEngine when the engine does not answer. */
export async function answerOf(engine: Engine, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await engine.ask(args);
  if (exitCode === 0) return stdout;
  const reason = unreachableReason(stderr);
  if (reason !== undefined) throw unreachableEngine(engine.path, reason, stderr);
  throw failedCommand({ file: engine.path, args, env: {} }, exitCode, stderr);
}
