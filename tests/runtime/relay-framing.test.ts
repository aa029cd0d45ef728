import { expect, test } from "bun:test";
import { createFrameReader, frameOf, type Unframed } from "../../src/runtime/relay-framing.ts";

const text = (found: readonly Unframed[]) =>
  found.map((item) => (item.kind === "end" ? "|" : new TextDecoder().decode(item.bytes))).join("");
const bytes = (written: string) => new TextEncoder().encode(written);

test("a frame is its length in four bytes, then itself", () => {
  expect([...frameOf(bytes("abc"))]).toEqual([0, 0, 0, 3, 97, 98, 99]);
  expect([...frameOf(new Uint8Array(0x010203)).subarray(0, 4)]).toEqual([0, 1, 2, 3]);
});

test("the frame of nothing is the end", () => {
  expect([...frameOf(new Uint8Array(0))]).toEqual([0, 0, 0, 0]);
  expect(createFrameReader()(frameOf(new Uint8Array(0)))).toEqual([{ kind: "end" }]);
});

test("however frames are cut into pieces, the same comes out", () => {
  const stream = Buffer.concat([frameOf(bytes("first")), frameOf(bytes("2")), frameOf(bytes(""))]);
  for (let size = 1; size <= stream.length; size += 1) {
    const read = createFrameReader();
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
      stream.subarray(index * size, (index + 1) * size),
    );
    expect(text(pieces.flatMap(read))).toBe("first2|");
  }
});

test("bytes of a frame are given on before it is complete", () => {
  const read = createFrameReader();
  expect(text(read(frameOf(bytes("abcdef")).subarray(0, 7)))).toBe("abc");
});
