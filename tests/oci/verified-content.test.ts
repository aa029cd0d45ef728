import { expect, test } from "bun:test";
import { sha256Of } from "../../src/oci/digest.ts";
import { verifiedChunks, verifyDigest } from "../../src/oci/verified-content.ts";

const resource = "registry.example/acme/dev";
const expected = { digest: sha256Of("content"), size: 7, resource };

function read(texts: readonly string[], wanted = expected): Promise<Uint8Array[]> {
  const chunks = texts.map((text) => new TextEncoder().encode(text));
  return Array.fromAsync(verifiedChunks(chunks, wanted));
}

test("content in any number of chunks passes when digest and size are right", async () => {
  expect(Buffer.concat(await read(["con", "", "tent"])).toString()).toBe("content");
  expect(await read([], { ...expected, digest: sha256Of(""), size: 0 })).toEqual([]);
});

test("content of the right size and another digest, or of another size, is an error that says what came", async () => {
  for (const [texts, found] of [
    [["cont3nt"], `its content is ${sha256Of("cont3nt")}`],
    [["conten"], "6 bytes came instead of 7"],
    [["content", "!"], "more than 7 bytes came"],
  ] as const) {
    const failure = await read(texts).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      message: `Digest did not match for ${resource}.`,
      hint: expect.stringContaining(`${expected.digest} was wanted, but ${found}.`),
    });
  }
});

test("a digest at hand is compared with the one that was wanted", () => {
  verifyDigest(expected.digest, expected);
  expect(() => verifyDigest(sha256Of("x"), expected)).toThrow(`Digest did not match for ${resource}.`);
});
