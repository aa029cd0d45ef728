import type { Connection } from "./connection.ts";
import { newSocketState, type SocketState, socketConnection, socketHandlers } from "./socket-connection.ts";

/** Connects to a port of an address; "refused" when nobody listens, "no answer" when the time is up or there is no way to it. */
export async function connect(
  hostname: string,
  port: number,
  { timeoutMilliseconds }: { readonly timeoutMilliseconds: number },
): Promise<Connection | "refused" | "no answer"> {
  const attempt = Bun.connect<SocketState>({
    hostname,
    port,
    allowHalfOpen: true,
    data: newSocketState(),
    socket: { ...socketHandlers, connectError() {} },
  }).then(
    (socket) => ({ socket }),
    (error: unknown) => ({ error }),
  );
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutMilliseconds);
  const outcome = await Promise.race([attempt, timeout]);
  clearTimeout(timer);
  if (outcome === undefined) {
    attempt.then((late) => "socket" in late && late.socket.terminate());
    return "no answer";
  }
  if ("socket" in outcome) return socketConnection(outcome.socket);
  const { error } = outcome;
  return error instanceof Error && "code" in error && error.code === "ECONNREFUSED" ? "refused" : "no answer";
}
