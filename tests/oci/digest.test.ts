import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { createDigester, hexOf, isDigest, parseDigest, sha256Of } from "../../src/oci/digest.ts";

const ofEmptyObject = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

test("the digest of a text is that of its UTF-8 bytes", () => {
  expect(sha256Of("{}")).toBe(ofEmptyObject);
  expect(sha256Of(new Uint8Array([0xc3, 0xa9]))).toBe(sha256Of("é"));
});

test("a digest fed in chunks equals the digest of the whole", () => {
  expect(createDigester().update("{").update(new TextEncoder().encode("}")).digest()).toBe(ofEmptyObject);
});

test("only sha256 with 64 lower-case hex digits is a digest", () => {
  expect(isDigest(ofEmptyObject)).toBe(true);
  expect(parseDigest(ofEmptyObject)).toBe(ofEmptyObject);
  for (const text of [
    "",
    "sha256:",
    ofEmptyObject.toUpperCase(),
    `${ofEmptyObject}0`,
    `${ofEmptyObject}\n`,
    ofEmptyObject.slice(0, -1),
    "sha512:44136fa3",
    `sha256:../${ofEmptyObject.slice(10)}`,
  ]) {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(UserError);
  }
});

test("the hex digits of a digest name its file", () => {
  expect(hexOf(sha256Of("{}"))).toBe(ofEmptyObject.slice(7));
});
