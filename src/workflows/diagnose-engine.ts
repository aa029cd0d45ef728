import { UserError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import type { EngineChoice, EngineFacts, EngineState } from "../runtime/diagnosis/engine-facts.ts";
import { readEngineInfo } from "../runtime/diagnosis/engine-info.ts";
import type { Machine } from "../runtime/diagnosis/machine.ts";
import { unreachableReason } from "../runtime/engine-failure.ts";
import { findEngines } from "../runtime/find-engine.ts";
import { type Answer, type Ask, complaintOf } from "./diagnose-ask.ts";
import { endpointOf, isHere } from "./diagnose-endpoint.ts";
import { inspectSocket } from "./diagnose-socket.ts";
import type { Tools } from "./tools.ts";
import { readUserSettings } from "./user-settings.ts";

const JSON_FORMAT = ["--format", "{{json .}}"];

/** Asks every engine that a command could use, all at once, what it is and whether it answers. */
export async function inspectEngines(
  dockerPath: string | undefined,
  { tools, ask, machine }: { tools: Tools; ask: Ask; machine: Machine },
): Promise<EngineChoice> {
  const { paths, from, configurationError } = chooseEngines(dockerPath, tools);
  const candidates = await Promise.all(paths.map((path) => inspectEngine(path, { tools, ask, machine })));
  const others = ["docker", "podman"].filter(
    (name) => machine.programs.has(name) && !paths.some((path) => locate(path, tools) === locate(name, tools)),
  );
  return { from, configurationError, candidates, others };
}

function chooseEngines(flag: string | undefined, tools: Tools) {
  let configured: string | undefined;
  let configurationError: EngineChoice["configurationError"];
  const readConfigured = () => {
    try {
      configured = readUserSettings(tools).dockerPath;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      configurationError = { message: error.message, hint: error.hint };
    }
    return configured;
  };
  let paths: readonly string[] = [];
  try {
    const wishes = { flag, environment: tools.environment, configured: readConfigured };
    paths = findEngines(wishes, tools.runProcess).map(({ path }) => path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  const fromEnvironment = (tools.environment["COOPER_DOCKER_PATH"] ?? "") !== "" ? "environment" : undefined;
  const from: EngineChoice["from"] =
    flag !== undefined ? "flag" : (fromEnvironment ?? (configured === undefined ? "PATH" : "configuration"));
  return { paths, from, configurationError };
}

function locate(path: string, { environment, workingDirectory }: Tools): string | null {
  return Bun.which(path, { PATH: environment["PATH"] ?? "", cwd: workingDirectory });
}

async function inspectEngine(
  path: string,
  { tools, ask, machine }: { tools: Tools; ask: Ask; machine: Machine },
): Promise<EngineFacts> {
  const [name, version, info, host, machines] = await Promise.all([
    ask.program(path, ["-v"]),
    ask.program(path, ["version", ...JSON_FORMAT]),
    ask.program(path, ["info", ...JSON_FORMAT]),
    ask.program(path, ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]),
    machine.platform === "linux" ? undefined : ask.program(path, ["machine", "list", "--format", "json"]),
  ]);
  const title = outputOf(name);
  const versions = readJson(outputOf(version));
  const context = stringAt(versions, ["Client", "Context"]);
  const read = info.kind === "exited" ? readEngineInfo(info.stdout) : undefined;
  // A podman that is called docker says that it is docker, until it is asked for more.
  const named = /podman/i.test(title) ? "podman" : /docker/i.test(title) ? "docker" : "unknown";
  const kind = read?.kind ?? named;
  const endpoint = endpointOf(kind, context, tools.environment);
  return {
    path,
    kind,
    clientVersion: stringAt(versions, ["Client", "Version"]),
    serverVersion: stringAt(versions, ["Server", "Version"]),
    state: await stateOf({ kind, name, version, info, read }, { ask, machine }),
    info: read,
    here:
      machine.platform === "linux" && isHere(kind === "docker" ? outputOf(host) : tools.environment["CONTAINER_HOST"]),
    endpoint,
    virtualMachines: kind === "podman" && machines !== undefined ? lengthOf(outputOf(machines)) : undefined,
  };
}

interface Questions {
  readonly ask: Ask;
  readonly machine: Machine;
}

interface Answers {
  readonly kind: EngineFacts["kind"];
  readonly name: Answer;
  readonly version: Answer;
  readonly info: Answer;
  readonly read: EngineFacts["info"];
}

async function stateOf(
  { kind, name, version, info, read }: Answers,
  { ask, machine }: Questions,
): Promise<EngineState> {
  if (version.kind === "not started") return { kind: "not installed" };
  const answer = version.kind === "exited" && version.exitCode === 0 ? info : version;
  if (answer.kind === "silent") return { kind: "silent", seconds: Math.round(ask.limitMilliseconds / 1000) };
  if (kind === "unknown") return { kind: "failed", found: name.kind === "exited" ? introductionOf(name) : "no answer" };
  if (answer.kind === "exited" && answer.exitCode === 0 && read !== undefined) return { kind: "answers" };
  if (answer.kind === "not started") return { kind: "failed", found: answer.found };
  const found = complaintOf(answer);
  switch (unreachableReason(answer.stderr)) {
    case "not running":
      return { kind: "not running", found };
    case "permission denied":
      return { kind: "permission denied", found, socket: await inspectSocket(answer.stderr, machine.user.name) };
    case undefined:
      return { kind: "failed", found };
  }
}

function introductionOf(answer: { stdout: string; stderr: string; exitCode: number }): string {
  const [first = ""] = answer.stdout.trim().split("\n");
  if (first !== "") return first;
  return answer.exitCode === 0 ? "it says nothing" : complaintOf(answer);
}

function outputOf(answer: Answer): string {
  return answer.kind === "exited" ? answer.stdout.trim() : "";
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function stringAt(value: unknown, [key, ...rest]: readonly string[]): string | undefined {
  if (key === undefined) return typeof value === "string" && value !== "" ? value : undefined;
  return isJsonObject(value) ? stringAt(value[key], rest) : undefined;
}

function lengthOf(text: string): number {
  const value = readJson(text);
  return Array.isArray(value) ? value.length : 0;
}
