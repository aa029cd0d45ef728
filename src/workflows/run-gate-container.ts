import { UserError } from "../errors.ts";
import type { Engine } from "../runtime/engine.ts";
import { type GateContainer, gateCommand } from "../runtime/gate-command.ts";
import { guardedCommand } from "../runtime/guarded-command.ts";
import type { GateEnd, GateLimits } from "./profile-engine.ts";
import type { Tools } from "./tools.ts";

/** How long a container's end is waited for after its time is up. */
const GRACE_MILLISECONDS = 30_000;
/** More, and a timer would end at once. */
const LONGEST_MILLISECONDS = 2 ** 31 - 1 - GRACE_MILLISECONDS;
const KILL_INTERVAL_MILLISECONDS = 250;
/** Of what a client says instead of starting a container. */
const HEAD_CHARACTERS = 16_384;

/** Runs a gate in a container of its own on an engine; throws UserError when the engine did not start it. */
export async function runGateContainer(
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
    const { exitCode } = await tools.runProcess(guardedCommand(gateCommand(engine.path, gate), gate.name), {
      onOutput: take,
      lifeline: true,
      timeoutMilliseconds: allowed + GRACE_MILLISECONDS,
    });
    if (state.timedOut) return { kind: "timed_out" };
    if (MAYBE_REFUSED.includes(exitCode) && !wasStarted(await own(...ASK_WHEN_STARTED))) {
      throw new UserError(head.trim());
    }
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

/** What a client ends with when it could not start the gate, whose own shell may end so too. */
const MAYBE_REFUSED = [125, 126, 127];
const ASK_WHEN_STARTED = ["container", "inspect", "--format", "{{.State.StartedAt}}"];

/** Engines date what has not happened to the year 1; of what was not even made they know nothing. */
function wasStarted({ exitCode, stdout }: { readonly exitCode: number; readonly stdout: string }): boolean {
  return exitCode === 0 && !stdout.startsWith("0001-");
}
