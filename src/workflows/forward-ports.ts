import { CONTAINER_HOST, type ForwardedPort } from "../devcontainer/forwarded-ports.ts";
import { Interrupted, UserError } from "../errors.ts";
import { listenOnLoopback } from "../host/listen.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { execCommand } from "../runtime/exec-command.ts";
import { failedExec } from "../runtime/exec-failure.ts";
import { type RelaySurvey, readRelaySurvey, SURVEY_SCRIPT } from "../runtime/relay-survey.ts";
import { createConnections } from "./forward-ports-connections.ts";
import { readMachineNetwork, viewOfNetwork } from "./forward-ports-direct.ts";
import { type LocalPort, listenForPorts } from "./forward-ports-listen.ts";
import { waitUntilStopped } from "./forward-ports-watch.ts";
import type { Tools } from "./tools.ts";

/** Ports of a running container that are to be reachable on this machine's loopback. */
export interface ForwardRequest {
  readonly engine: Engine;
  readonly container: ContainerDetails;
  readonly ports: readonly ForwardedPort[];
}

/** Why forwarding ended. */
export type ForwardingEnd =
  | { readonly kind: "container-stopped" }
  | { readonly kind: "interrupted"; readonly exitCode: number };

/**
 * Forwards ports until the container stops or a signal comes, and says where they are; `onReady` gets the mapping once all of them
 * accept connections. Leaves nothing behind, on this machine or in the container. Throws UserError when it cannot begin, and
 * Interrupted when the signal comes before it has begun.
 */
export async function forwardPorts(
  request: ForwardRequest,
  onReady: (ports: readonly LocalPort[]) => void,
  tools: Tools,
): Promise<ForwardingEnd> {
  let isReady = false;
  const ready = (ports: readonly LocalPort[]) => {
    isReady = true;
    onReady(ports);
  };
  try {
    await forwardUntilStopped(request, ready, tools);
    return { kind: "container-stopped" };
  } catch (error) {
    if (isReady && error instanceof Interrupted) return { kind: "interrupted", exitCode: error.exitCode };
    throw error;
  }
}

/** What a running container has for forwarding, and what listens in it. */
export async function surveyPorts(engine: Engine, container: ContainerDetails): Promise<RelaySurvey> {
  const command = execCommand(engine.path, {
    container: container.id,
    command: ["sh", "-c", SURVEY_SCRIPT],
    workingDirectory: "/",
  });
  const { exitCode, stdout, stderr } = await engine.ask(command.args);
  // A container without a shell may still be reached directly.
  if (exitCode === 126 || exitCode === 127) return { tool: undefined, listening: undefined };
  if (exitCode !== 0) throw failedExec(command, container.id, { exitCode, output: stderr });
  return readRelaySurvey(stdout);
}

/** A mapping in a sentence. */
export function describeLocalPort({ forwarded, localPort, moved, listener }: LocalPort): string {
  const { label, host, port } = forwarded;
  const owner = host === CONTAINER_HOST ? "the container" : host;
  const remark = moved ?? (listener === undefined ? "the container uses this machine's network" : undefined);
  return `Port ${port}${label === undefined ? "" : ` (${label})`} of ${owner} is at ${addressOf(forwarded, localPort)}${remark === undefined ? "" : ` (${remark})`}`;
}

/** Where a forwarded port is on this machine: a URL when its protocol is known, else address and port. */
export function addressOf({ protocol }: ForwardedPort, localPort: number): string {
  return `${protocol === undefined ? "" : `${protocol}://`}127.0.0.1:${localPort}`;
}

async function forwardUntilStopped(
  { engine, container, ports }: ForwardRequest,
  onReady: (ports: readonly LocalPort[]) => void,
  tools: Tools,
): Promise<void> {
  const view = viewOfNetwork(container, readMachineNetwork());
  const { tool } = await surveyPorts(engine, container);
  if (tool === undefined) sayWithoutRelay(view.kind === "addresses" || view.kind === "shared", tools);
  const connections = createConnections({
    place: { enginePath: engine.path, containerId: container.id },
    tool,
    addresses: view.kind === "addresses" ? view.addresses : [],
    environment: tools.environment,
    log: tools.log,
  });
  const local = listenForPorts(ports, {
    listen: listenOnLoopback,
    published: container.ports,
    sharesNetwork: view.kind === "shared",
    onConnection: connections.serve,
  });
  try {
    for (const port of local) tools.log.info(describeLocalPort(port));
    onReady(local);
    await waitUntilStopped(engine, container.id, tools);
  } finally {
    for (const { listener } of local) listener?.stop();
    await connections.close();
  }
}

const REMEDY =
  "Install one of perl, python3, ruby, node, bash or busybox in its image: a Feature or a line of the Dockerfile does it.";

function sayWithoutRelay(reachable: boolean, tools: Tools): void {
  if (!reachable) {
    throw new UserError(
      "Ports cannot be forwarded: the container has no program that could pass connections on inside it.",
      { hint: REMEDY },
    );
  }
  tools.log.warning(
    `Only servers that listen on all addresses of the container (0.0.0.0) can be reached: it has no program that could pass connections on to its loopback.\n${REMEDY}`,
  );
}
