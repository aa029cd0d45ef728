import type { Connection } from "./connection.ts";
import { newSocketState, type SocketState, socketConnection, socketHandlers } from "./socket-connection.ts";

/** A port of this machine's loopback on which connections are accepted. */
export interface Listener {
  readonly port: number;
  /** Accepts no more; connections that exist are not its affair. */
  readonly stop: () => void;
}

/** Accepts connections on a port of 127.0.0.1, 0 for any free one; or says why that port is not to be had. */
export type Listen = (
  port: number,
  onConnection: (connection: Connection) => void,
) => Listener | "taken" | "not permitted";

/** The one place that listens. */
export const listenOnLoopback: Listen = (port, onConnection) => {
  try {
    const listener = Bun.listen<SocketState>({
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        ...socketHandlers,
        open(socket) {
          socket.data = newSocketState();
          onConnection(socketConnection(socket));
        },
      },
    });
    return { port: listener.port, stop: () => listener.stop(false) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") return "taken";
    if (code === "EACCES" || code === "EPERM") return "not permitted";
    throw error;
  }
};

/** Whether nothing listens on this port of the loopback. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    const server = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
    server.stop(true);
    return true;
  } catch {
    return false;
  }
}
