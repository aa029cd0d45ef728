import { UserError } from "../errors.ts";
import type { Engine } from "../runtime/engine.ts";
import type { Tools } from "./tools.ts";

const ATTEMPTS = 5;
const PAUSE_MILLISECONDS = 1000;

/** Resolves when a container has stopped or is gone; an engine that restarts meanwhile is asked again, and UserError thrown when it stays away. */
export async function waitUntilStopped(
  engine: Engine,
  containerId: string,
  tools: Pick<Tools, "runProcess">,
): Promise<void> {
  let complaint = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const wait = await tools.runProcess({ file: engine.path, args: ["wait", containerId], env: {} });
    if (wait.exitCode === 0) return;
    const args = ["inspect", "--type", "container", "--format", "{{.State.Running}}", containerId];
    const state = await engine.ask(args);
    if (state.exitCode === 0 && state.stdout.trim() !== "true") return;
    if (/no such (?:container|object)|no container with/i.test(state.stderr)) return;
    if (state.exitCode === 0) attempt = 0;
    complaint = (state.stderr || wait.stderr).trim().split("\n").at(-1) ?? "";
    await Bun.sleep(PAUSE_MILLISECONDS);
  }
  throw new UserError(`The engine stopped answering, so ports are no longer forwarded: ${complaint}`, {
    hint: "Start it again, then the container with cooper up.",
  });
}
