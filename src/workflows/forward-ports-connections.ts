import { CONTAINER_HOST, type ForwardedPort } from "../devcontainer/forwarded-ports.ts";
import { messageOf } from "../errors.ts";
import { connect } from "../host/connect.ts";
import { type Connection, ConnectionBroken, joinConnections } from "../host/connection.ts";
import { type DuplexProcess, startDuplex } from "../host/duplex-process.ts";
import type { Log } from "../host/log.ts";
import { saysContainerVanished } from "../runtime/exec-failure.ts";
import { type ContainerPlace, type RelayTool, relayCommand, speaksInFrames } from "../runtime/relay.ts";
import { framedRelayConnection, plainRelayConnection } from "../runtime/relay-connection.ts";
import { NOTHING_LISTENS } from "../runtime/relay-programs.ts";
import { createSlots } from "./forward-ports-slots.ts";

/** The ways from this machine to the servers of one container. */
export interface ContainerWays {
  readonly place: ContainerPlace;
  /** Undefined when the container has nothing to run a relay with. */
  readonly tool: RelayTool | undefined;
  /** Tried first, where the server listens on all addresses. */
  readonly addresses: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** Carries clients' connections to a container's servers. */
export interface Connections {
  readonly serve: (port: ForwardedPort, client: Connection) => void;
  /** Breaks off all there are; resolves when no process of theirs is left on this machine. */
  readonly close: () => Promise<void>;
}

const RELAYS_AT_ONCE = 64;
const WAITING_AT_MOST = 256;
const CONNECT_MILLISECONDS = 300;
/** As long as a kernel keeps the half of a connection that nobody has any more. */
const LINGER_MILLISECONDS = 60_000;
const LEAVE_MILLISECONDS = 3000;
/** A server on `localhost` may have chosen either. */
const LOOPBACK_ADDRESSES = ["127.0.0.1", "::1"];

/** Connections by the ways given; one that cannot be made is broken off, and the reason said once for each port. */
export function createConnections(ways: ContainerWays): Connections {
  const { log } = ways;
  const said = new Set<string>();
  const state: State = {
    ways,
    addresses: new Set(ways.addresses),
    slots: createSlots({ atOnce: RELAYS_AT_ONCE, waiting: WAITING_AT_MOST }),
    sayOnce: (text) => {
      if (!said.has(text)) log.warning(text);
      said.add(text);
    },
    closing: false,
  };
  const clients = new Set<Connection>();
  const running = new Set<Promise<void>>();
  return {
    serve(port, client) {
      clients.add(client);
      const serving = serveClient(state, port, client)
        .catch((error: unknown) => {
          client.abort();
          if (error instanceof ConnectionBroken) log.debug(`A connection to port ${port.port} broke: ${error.message}`);
          else if (!state.closing) state.sayOnce(`A connection to port ${port.port} failed: ${messageOf(error)}`);
        })
        .finally(() => {
          clients.delete(client);
          running.delete(serving);
        });
      running.add(serving);
    },
    async close() {
      state.closing = true;
      for (const client of clients) client.abort();
      await Promise.all(running);
    },
  };
}

interface State {
  readonly ways: ContainerWays;
  /** Those of the addresses that are not known to lead nowhere. */
  readonly addresses: Set<string>;
  readonly slots: ReturnType<typeof createSlots>;
  readonly sayOnce: (text: string) => void;
  closing: boolean;
}

async function serveClient(state: State, port: ForwardedPort, client: Connection): Promise<void> {
  const server = port.host === CONTAINER_HOST ? await connectDirectly(state, port.port) : undefined;
  if (server !== undefined) return joinConnections(client, server, { lingerMilliseconds: LINGER_MILLISECONDS });
  const { tool } = state.ways;
  if (tool === undefined)
    throw new ConnectionBroken("The server is not to be reached, and the container can run no relay.");
  const release = await state.slots.take(() =>
    state.sayOnce(`${RELAYS_AT_ONCE} connections are open at once; further ones wait for one of them to end.`),
  );
  if (release === undefined) throw new ConnectionBroken("Too many connections wait already.");
  try {
    if (!state.closing) await relay(state, { tool, port, client });
  } finally {
    release();
  }
}

/** An address that does not answer in time is not asked again. */
async function connectDirectly(state: State, port: number): Promise<Connection | undefined> {
  for (const address of state.addresses) {
    const outcome = await connect(address, port, { timeoutMilliseconds: CONNECT_MILLISECONDS });
    if (typeof outcome === "object") return outcome;
    if (outcome === "no answer") state.addresses.delete(address);
  }
  return undefined;
}

async function relay(
  state: State,
  { tool, port, client }: { readonly tool: RelayTool; readonly port: ForwardedPort; readonly client: Connection },
): Promise<void> {
  const hosts = port.host === CONTAINER_HOST ? LOOPBACK_ADDRESSES : [port.host];
  const { place, environment } = state.ways;
  const process = startDuplex(relayCommand(place, tool, { hosts, port: port.port }), environment);
  const server = speaksInFrames(tool) ? framedRelayConnection(process) : plainRelayConnection(process);
  try {
    await joinConnections(client, server, { lingerMilliseconds: LINGER_MILLISECONDS });
  } catch (error) {
    if (!state.closing) await explainFailure(state, { port, process });
    throw error;
  } finally {
    server.abort();
    await leave(process);
  }
}

async function explainFailure(
  state: State,
  { port, process }: { readonly port: ForwardedPort; readonly process: DuplexProcess },
): Promise<void> {
  const { exitCode, stderr } = await leave(process);
  const name =
    port.host === CONTAINER_HOST ? `port ${port.port} in the container` : `port ${port.port} of ${port.host}`;
  if (exitCode === NOTHING_LISTENS) return state.sayOnce(`Nothing listens on ${name} yet.`);
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  if (reason !== "" && !saysContainerVanished(stderr)) state.sayOnce(`A connection to ${name} failed: ${reason}`);
}

/** Waits for the process to end, and ends it when that takes long. */
async function leave(process: DuplexProcess): ReturnType<typeof startDuplex>["exited"] {
  const timer = setTimeout(process.kill, LEAVE_MILLISECONDS);
  try {
    return await process.exited;
  } finally {
    clearTimeout(timer);
  }
}
