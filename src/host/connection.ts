/** Bytes both ways, where each way ends by itself; what fails throws. */
export interface Connection {
  /** The next bytes, undefined once the other side has said everything. */
  readonly read: () => Promise<Uint8Array | undefined>;
  /** Resolves when more may be written. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Says that nothing more will be written; reading goes on. */
  readonly end: () => Promise<void>;
  /** Breaks both ways off; what is under way throws. */
  readonly abort: () => void;
}

/** How a connection ends that did not end in order. */
export class ConnectionBroken extends Error {}

/**
 * Carries bytes between two connections until both ways have ended, and then a client that neither speaks nor ends for
 * `lingerMilliseconds` after the server's end is broken off; throws, with both broken off, when one of them breaks.
 */
export async function joinConnections(
  client: Connection,
  server: Connection,
  { lingerMilliseconds }: { readonly lingerMilliseconds: number },
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let serverEnded = false;
  const abort = () => {
    client.abort();
    server.abort();
  };
  const linger = () => {
    clearTimeout(timer);
    if (serverEnded) timer = setTimeout(abort, lingerMilliseconds);
  };
  try {
    await Promise.all([
      carry(client, server, linger),
      carry(server, client, () => {}).then(() => {
        serverEnded = true;
        linger();
      }),
    ]);
  } catch (error) {
    abort();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function carry(from: Connection, to: Connection, onBytes: () => void): Promise<void> {
  for (;;) {
    const bytes = await from.read();
    if (bytes === undefined) return to.end();
    onBytes();
    await to.write(bytes);
  }
}
