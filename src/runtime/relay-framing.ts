/** The frame of some bytes, of none for the end of a way: how many they are in 32 bits, most significant first, then themselves. */
export function frameOf(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length);
  frame.set(bytes, HEAD_BYTES);
  return frame;
}

/** What a reader of frames finds: bytes that were in a frame, or the end. */
export type Unframed = { readonly kind: "bytes"; readonly bytes: Uint8Array } | { readonly kind: "end" };

const HEAD_BYTES = 4;

/** Reads frames from bytes that come in pieces of any size; a frame's bytes are given on as they come. */
export function createFrameReader(): (piece: Uint8Array) => Unframed[] {
  const head = new Uint8Array(HEAD_BYTES);
  let headLength = 0;
  let left = 0;
  return (piece) => {
    const found: Unframed[] = [];
    for (let at = 0; at < piece.length; ) {
      if (left > 0) {
        const bytes = piece.subarray(at, at + left);
        at += bytes.length;
        left -= bytes.length;
        found.push({ kind: "bytes", bytes });
        continue;
      }
      head[headLength] = piece[at] ?? 0;
      headLength += 1;
      at += 1;
      if (headLength < HEAD_BYTES) continue;
      headLength = 0;
      left = new DataView(head.buffer).getUint32(0);
      if (left === 0) found.push({ kind: "end" });
    }
    return found;
  };
}
