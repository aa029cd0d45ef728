import { type Connection, ConnectionBroken } from "../host/connection.ts";
import type { DuplexProcess } from "../host/duplex-process.ts";
import { createFrameReader, frameOf } from "./relay-framing.ts";

const NOTHING = new Uint8Array(0);

/** The connection to a server that a running relay keeps, one whose tool speaks in frames. */
export function framedRelayConnection({ stdin, stdout, exited }: DuplexProcess): Connection {
  const reader = stdout.getReader();
  const unframe = createFrameReader();
  const received: Uint8Array[] = [];
  const ended = { here: false, there: false };
  const write = (bytes: Uint8Array) => writeTo(stdin, bytes);
  // The relay itself stays until its input ends, which it takes for ours.
  const leave = () => {
    if (ended.here && ended.there) stdin.end();
  };
  return {
    async read() {
      for (;;) {
        const bytes = received.shift();
        if (bytes !== undefined) return bytes;
        if (ended.there) return undefined;
        const { done, value } = await reader.read();
        if (done) throw await relayEnded(exited);
        for (const item of unframe(value)) {
          if (item.kind === "bytes") received.push(item.bytes);
          else ended.there = true;
        }
        leave();
      }
    },
    write: (bytes) => write(frameOf(bytes)),
    async end() {
      await write(frameOf(NOTHING));
      ended.here = true;
      leave();
    },
    abort: () => stdin.end(),
  };
}

/** How long a server may be silent once the client has said everything, where it cannot be told so. */
const SILENCE_MILLISECONDS = 5000;

/**
 * The same for a relay that passes plain bytes. It cannot end one way alone, so the server does not learn of our end; it has as long
 * for its answer as it goes on speaking.
 */
export function plainRelayConnection({ stdin, stdout, exited }: DuplexProcess): Connection {
  const reader = stdout.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let endedHere = false;
  const awaitAnswer = () => {
    clearTimeout(timer);
    if (endedHere) timer = setTimeout(stdin.end, SILENCE_MILLISECONDS);
  };
  exited.finally(() => clearTimeout(timer));
  return {
    async read() {
      const { done, value } = await reader.read();
      if (!done) {
        awaitAnswer();
        return value;
      }
      const { exitCode } = await exited;
      if (exitCode !== 0) throw await relayEnded(exited);
      return undefined;
    },
    write: (bytes) => writeTo(stdin, bytes),
    async end() {
      endedHere = true;
      awaitAnswer();
    },
    abort: () => stdin.end(),
  };
}

async function writeTo(stdin: DuplexProcess["stdin"], bytes: Uint8Array): Promise<void> {
  try {
    await stdin.write(bytes);
  } catch {
    throw new ConnectionBroken("The relay in the container reads no more.");
  }
}

async function relayEnded(exited: DuplexProcess["exited"]): Promise<ConnectionBroken> {
  const { exitCode } = await exited;
  return new ConnectionBroken(`The relay in the container ended with exit code ${exitCode}.`);
}
