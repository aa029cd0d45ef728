/** The end of a text that may be longer than anybody wants to keep. */
export interface BoundedLog {
  readonly add: (text: string) => void;
  /** The last of it, of at most so many bytes, and how many there were. */
  readonly end: () => { readonly text: string; readonly bytes: number; readonly truncated: boolean };
}

/** A log of at most `maximum` bytes of UTF-8. */
export function createBoundedLog(maximum: number): BoundedLog {
  const encoder = new TextEncoder();
  let kept: Uint8Array[] = [];
  let held = 0;
  let bytes = 0;
  return {
    add(text) {
      const chunk = encoder.encode(text);
      kept.push(chunk);
      held += chunk.length;
      bytes += chunk.length;
      // Joined now and then only, so that many small pieces cost no more than they hold.
      if (held > 2 * maximum + 65_536) {
        kept = [lastBytes(kept, maximum)];
        held = kept[0]?.length ?? 0;
      }
    },
    end() {
      const last = lastBytes(kept, maximum);
      // A character that was cut in two is left out.
      const start = bytes > maximum ? last.findIndex((byte) => (byte & 0xc0) !== 0x80) : 0;
      const text = new TextDecoder().decode(start === -1 ? new Uint8Array() : last.subarray(start));
      return { text, bytes, truncated: bytes > maximum };
    },
  };
}

function lastBytes(chunks: readonly Uint8Array[], maximum: number): Uint8Array {
  const whole = Buffer.concat(chunks);
  return whole.subarray(Math.max(0, whole.length - maximum));
}
