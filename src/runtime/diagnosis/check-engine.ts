import { type Check, enumerate, formatRemedy, joinRemedies, type Remedy } from "./check.ts";
import { describeEndpoint, type EngineChoice, type EngineFacts, usedEngine } from "./engine-facts.ts";
import { remedyFor } from "./engine-remedy.ts";
import { installPodman, type Machine } from "./machine.ts";

/** Which engine commands would use and why, or what keeps them from having one. */
export function checkEngine(choice: EngineChoice, machine: Machine): Check[] {
  const { configurationError: broken } = choice;
  const configuration: Check[] =
    broken === undefined
      ? []
      : [
          {
            id: "configuration",
            status: "problem",
            title: "Configuration",
            detail: broken.message,
            ...(broken.hint === undefined ? {} : { remedy: broken.hint }),
          },
        ];
  return [...configuration, engineLine(choice, machine)];
}

function engineLine(choice: EngineChoice, machine: Machine): Check {
  const line = { id: "engine", title: "Engine" };
  const [first] = choice.candidates;
  if (first === undefined) {
    return {
      ...line,
      status: "problem",
      detail: "neither docker nor podman is on PATH",
      remedy: formatRemedy({
        text: "Install one (Podman needs no daemon), or name it with --docker-path or COOPER_DOCKER_PATH.",
        commands: installPodman(machine),
      }),
    };
  }
  const used = usedEngine(choice);
  if (used === first) {
    const others = choice.others.length === 0 ? "" : `; ${enumerate(choice.others)} is there too`;
    return { ...line, status: "ok", detail: `${describeEngine(used)}, ${reasonFor(choice)}${others}` };
  }
  if (used !== undefined) {
    const outright = { text: "Or choose outright:", commands: [`export COOPER_DOCKER_PATH=${used.path}`] };
    return {
      ...line,
      status: "warning",
      detail: `${describeEngine(used)}, because ${first.path} comes first and ${describeState(first)}`,
      remedy: joinRemedies([remedyFor(first, machine), outright]),
    };
  }
  return {
    ...line,
    status: "problem",
    detail: choice.candidates
      .map(
        (engine) =>
          `${engine.path}${engine === first && choice.from !== "PATH" ? ` (${reasonFor(choice)})` : ""} ${describeState(engine)}`,
      )
      .join("; "),
    remedy: joinRemedies([remedyFor(first, machine), ...takeAnother(choice)]),
  };
}

function takeAnother({ others, candidates }: EngineChoice): Remedy[] {
  const [other] = others;
  const nothingToRun = candidates[0]?.state.kind === "not installed" || candidates[0]?.kind === "unknown";
  return other === undefined || nothingToRun
    ? []
    : [{ text: `Or use ${other}: --docker-path ${other}.`, commands: [] }];
}

function describeEngine({ path, kind, clientVersion, serverVersion, endpoint }: EngineFacts): string {
  const name = path === kind ? path : `${path}, which is ${kind === "unknown" ? "neither docker nor podman" : kind}`;
  const client = clientVersion === undefined ? name : `${name} ${clientVersion}`;
  const server = serverVersion === undefined || serverVersion === clientVersion ? "" : `, engine ${serverVersion}`;
  const where = endpoint === undefined ? "" : ` at ${describeEndpoint(endpoint)}`;
  return `${client}${server}${where}`;
}

function reasonFor({ from, candidates }: EngineChoice): string {
  switch (from) {
    case "flag":
      return "named by --docker-path";
    case "environment":
      return "named by COOPER_DOCKER_PATH";
    case "configuration":
      return "named by docker_path in the user's configuration";
    case "PATH":
      return candidates.length > 1 ? `found on PATH before ${candidates[1]?.path}` : "found on PATH";
  }
}

function describeState({ path, state, kind }: EngineFacts): string {
  switch (state.kind) {
    case "answers":
      return "answers";
    case "not installed":
      return "is no program that can be run here";
    case "not running":
      return `is not running (${state.found})`;
    case "permission denied":
      return state.socket === undefined ? `refuses access (${state.found})` : `refuses access to ${state.socket.path}`;
    case "silent":
      return `did not answer within ${state.seconds} seconds`;
    case "failed":
      return kind === "unknown" ? `is neither docker nor podman (${path} -v: ${state.found})` : `fails: ${state.found}`;
  }
}
