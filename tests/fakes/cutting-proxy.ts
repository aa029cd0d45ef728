import { connect, createServer, type Socket } from "node:net";

/** Where a connection is cut: after so many bytes of a request, head included, or before its answer gets back. */
export type Cut = { readonly after: number | "answering" };

/** A way to a server that breaks on demand. */
export type CuttingProxy = {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Cuts the next connection on which a request whose first line matches is sent, once. */
  cut(request: RegExp, cut: Cut): void;
  /** How many cuts are still to come. */
  pending(): number;
  stop(): void;
};

/** Passes bytes on between clients and `target` (`host:port`), and resets connections as told: web servers cannot. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const cuts: { request: RegExp; cut: Cut }[] = [];
  const sockets = new Set<Socket>();
  const [hostname = "", port = ""] = target.split(":");
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const both = [client, upstream];
    const reset = () => both.forEach((socket) => void socket.resetAndDestroy());
    let active: Cut | undefined;
    let sent = 0;
    for (const socket of both) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => both.forEach((other) => void other.destroy()));
    }
    client.on("data", (bytes: Buffer) => {
      const firstLine = bytes.toString("latin1", 0, bytes.indexOf("\r\n") === -1 ? 0 : bytes.indexOf("\r\n"));
      const found = cuts.findIndex(({ request }) => request.test(firstLine));
      if (active === undefined && found !== -1) active = cuts.splice(found, 1)[0]?.cut;
      if (active === undefined || active.after === "answering") {
        upstream.write(bytes);
        return;
      }
      const rest = active.after - sent;
      sent += bytes.length;
      if (sent < active.after) upstream.write(bytes);
      // What was passed on is to arrive before the connection breaks.
      else upstream.write(bytes.subarray(0, rest), () => setTimeout(reset, 20));
    });
    upstream.on("data", (bytes: Buffer) => {
      if (active?.after === "answering") reset();
      else client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("expected a port");
  return {
    host: `127.0.0.1:${address.port}`,
    cut: (request, cut) => void cuts.push({ request, cut }),
    pending: () => cuts.length,
    stop: () => {
      sockets.forEach((socket) => void socket.destroy());
      server.close();
    },
  };
}
