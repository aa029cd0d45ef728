import { CONTAINER_HOST, type ForwardedPort } from "../devcontainer/forwarded-ports.ts";
import { UserError } from "../errors.ts";
import type { Connection } from "../host/connection.ts";
import type { Listen, Listener } from "../host/listen.ts";
import type { PublishedPort } from "../runtime/container-details.ts";

/** Where a forwarded port is on this machine. */
export interface LocalPort {
  readonly forwarded: ForwardedPort;
  readonly localPort: number;
  /** Why `localPort` is another than the container's; undefined when it is not. */
  readonly moved: string | undefined;
  /** Undefined for a port that is at this machine's without our doing. */
  readonly listener: Listener | undefined;
}

/** What listening needs beside the ports. */
export interface ListeningSettings {
  readonly listen: Listen;
  /** What the engine itself listens on for the container. */
  readonly published: readonly PublishedPort[];
  /** Whether the container's own ports are this machine's. */
  readonly sharesNetwork: boolean;
  readonly onConnection: (port: ForwardedPort, client: Connection) => void;
}

const UNPRIVILEGED_OFFSET = 8000;
const TRIES = 100;

/**
 * Listens on this machine for every port: on its own number where that is free, and only then, for those that it is not, on the next
 * free one. Throws UserError, listening on nothing, when a port must have its own number and cannot.
 */
export function listenForPorts(ports: readonly ForwardedPort[], settings: ListeningSettings): readonly LocalPort[] {
  const attempts = ports.map((forwarded) => ({ forwarded, outcome: listenOnOwnNumber(forwarded, settings) }));
  const opened = attempts.flatMap(({ outcome }) => (typeof outcome === "object" ? [outcome] : []));
  try {
    return attempts.map(({ forwarded, outcome }) => {
      if (outcome === "shared") return { forwarded, localPort: forwarded.port, moved: undefined, listener: undefined };
      if (typeof outcome === "object")
        return { forwarded, localPort: outcome.port, moved: undefined, listener: outcome };
      const moved = reasonOf(outcome, { forwarded, published: settings.published });
      if (forwarded.requireLocalPort) throw unavailable(forwarded, moved);
      const listener = listenOnFreeNumber(forwarded, { outcome, settings });
      opened.push(listener);
      return { forwarded, localPort: listener.port, moved, listener };
    });
  } catch (error) {
    for (const listener of opened) listener.stop();
    throw error;
  }
}

type Refusal = "taken" | "not permitted";

function listenOnOwnNumber(forwarded: ForwardedPort, settings: ListeningSettings): Listener | Refusal | "shared" {
  if (settings.sharesNetwork && forwarded.host === CONTAINER_HOST) return "shared";
  return settings.listen(forwarded.port, (client) => settings.onConnection(forwarded, client));
}

function listenOnFreeNumber(
  forwarded: ForwardedPort,
  { outcome, settings }: { readonly outcome: Refusal; readonly settings: ListeningSettings },
): Listener {
  const first = forwarded.port + (outcome === "taken" ? 1 : UNPRIVILEGED_OFFSET);
  const candidates = Array.from({ length: TRIES }, (_, index) => first + index).filter((port) => port <= 65535);
  for (const port of [...candidates, 0]) {
    const listener = settings.listen(port, (client) => settings.onConnection(forwarded, client));
    if (typeof listener === "object") return listener;
  }
  throw unavailable(forwarded, "and no other port of this machine is free");
}

function reasonOf(
  refusal: Refusal,
  { forwarded, published }: { readonly forwarded: ForwardedPort; readonly published: readonly PublishedPort[] },
): string {
  const { port, elevateIfNeeded } = forwarded;
  switch (refusal) {
    case "taken": {
      const own = published.some(({ hostPort, protocol }) => hostPort === port && protocol === "tcp");
      return own ? `${port} is taken: the engine publishes the container's ports there` : `${port} is taken`;
    }
    case "not permitted":
      return `${port} is for root alone${elevateIfNeeded ? "; elevateIfNeeded is not supported" : ""}`;
  }
}

function unavailable({ host, port }: ForwardedPort, reason: string): UserError {
  const name = host === CONTAINER_HOST ? `Port ${port}` : `Port ${port} of ${host}`;
  return new UserError(`${name} cannot be forwarded to the same port of this machine: ${reason}.`, {
    hint: "Free that port, or take requireLocalPort out of its portsAttributes: then another port is used.",
  });
}
