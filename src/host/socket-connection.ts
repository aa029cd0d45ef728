import { type Connection, ConnectionBroken } from "./connection.ts";

/** What is known of one socket between the runtime's calls of the handlers. */
export interface SocketState {
  readonly incoming: Uint8Array[];
  ended: boolean;
  broken: ConnectionBroken | undefined;
  /** Called at anything new: bytes, an end, room to write. */
  wake: () => void;
  changed: Promise<void>;
}

/** The state of a socket of which nothing is known yet. */
export function newSocketState(): SocketState {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { incoming: [], ended: false, broken: undefined, wake: resolve, changed: promise };
}

/** Handlers for sockets that are made with `newSocketState()` as their data and `allowHalfOpen`. */
export const socketHandlers = {
  data(socket: Bun.Socket<SocketState>, bytes: Uint8Array) {
    socket.data.incoming.push(bytes);
    socket.pause();
    announce(socket.data);
  },
  end({ data }: Bun.Socket<SocketState>) {
    data.ended = true;
    announce(data);
  },
  drain: ({ data }: Bun.Socket<SocketState>) => announce(data),
  close({ data }: Bun.Socket<SocketState>, error?: Error) {
    // An end that comes after our own is told by this alone.
    if (error === undefined && data.broken === undefined) data.ended = true;
    data.broken ??= new ConnectionBroken(error?.message ?? "The connection is closed.");
    announce(data);
  },
};

/** The connection over an open socket; nothing is read from it before somebody asks. */
export function socketConnection(socket: Bun.Socket<SocketState>): Connection {
  const state = socket.data;
  socket.pause();
  socket.setNoDelay(true);
  return {
    async read() {
      for (;;) {
        const bytes = state.incoming.shift();
        if (bytes !== undefined) return bytes;
        if (state.ended) return undefined;
        if (state.broken !== undefined) throw state.broken;
        const { changed } = state;
        socket.resume();
        await changed;
      }
    },
    async write(bytes) {
      for (let written = 0; written < bytes.length; ) {
        if (state.broken !== undefined) throw state.broken;
        const { changed } = state;
        const count = socket.write(bytes, written, bytes.length - written);
        if (count < 0) throw new ConnectionBroken("The connection is closed.");
        written += count;
        if (written < bytes.length) await changed;
      }
    },
    async end() {
      socket.shutdown();
    },
    abort() {
      state.broken ??= new ConnectionBroken("The connection was broken off.");
      socket.terminate();
      announce(state);
    },
  };
}

function announce(state: SocketState): void {
  const { wake } = state;
  const { promise, resolve } = Promise.withResolvers<void>();
  state.wake = resolve;
  state.changed = promise;
  wake();
}
