import { describe, expect, test } from "bun:test";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { validateLayout } from "../../src/store/validate-layout.ts";
import { filesInMemory, goodTar, type LayoutParts, layoutOf } from "../fakes/image-layout.ts";
import { concatBytes, tarOf } from "../fakes/registry-tar.ts";

async function faultsWith(parts: LayoutParts): Promise<string[]> {
  const { faults } = await validateLayout(filesInMemory(layoutOf(parts)), undefined);
  return faults.map(({ kind, place, problem }) => `${kind}: ${place}: ${problem}`);
}

const gzipped = Bun.gzipSync(goodTar);

describe("of a layer's stream", () => {
  const compressTo = (bytes: Uint8Array) => faultsWith({ compress: () => bytes });

  test("bytes after its end are told, zeros too", async () => {
    expect(await compressTo(concatBytes([gzipped, new Uint8Array(7)]))).toEqual([
      expect.stringMatching(/^archive: layer 1 .*: 7 bytes follow the end of its gzip stream$/),
    ]);
    const [first] = await compressTo(concatBytes([gzipped, new TextEncoder().encode("trailing")]));
    expect(first).toMatch(/^archive: layer 1 .*: its gzip stream is damaged/);
    const zstd = concatBytes([Bun.zstdCompressSync(goodTar), new TextEncoder().encode("trailing")]);
    expect(await faultsWith({ compress: () => zstd, layer: { mediaType: mediaTypes.ociLayerZstd } })).toEqual([
      expect.stringMatching(/^archive: layer 1 .*: 8 bytes follow the end of its zstd stream$/),
    ]);
  });

  test("a stream that is cut off or damaged is told, and its digest is still that of all its bytes", async () => {
    const [cut, ...more] = await compressTo(gzipped.slice(0, -6));
    expect(cut).toMatch(/^archive: layer 1 .*: its gzip stream is damaged/);
    // The descriptor was made for these bytes: nothing is wrong with digest and size.
    expect(more.every((fault) => fault.startsWith("diff-id:"))).toBe(true);
    const broken = gzipped.slice();
    broken[broken.length - 7] = (broken[broken.length - 7] ?? 0) ^ 1;
    expect((await compressTo(broken))[0]).toMatch(/^archive: layer 1 .*: its gzip stream is damaged/);
    const zstd = Bun.zstdCompressSync(goodTar).slice(0, -5);
    const faults = await faultsWith({ compress: () => zstd, layer: { mediaType: mediaTypes.ociLayerZstd } });
    expect(faults.length).toBeGreaterThan(0);
  });

  test.each([
    ["without its end", goodTar.slice(0, -1024), /it ends without the two zero blocks/],
    ["with half its end", goodTar.slice(0, -512), /it ends without the two zero blocks/],
    ["with something after its end", concatBytes([goodTar, goodTar]), /it goes on after its end/],
    ["that ends inside a header", goodTar.slice(0, 700), /it ends inside a header/],
    ["that ends inside a file", goodTar.slice(0, 1200), /it ends inside an entry/],
    ["of half blocks", concatBytes([goodTar, new Uint8Array(3)]), /it does not end at a block/],
    ["that is none", new TextEncoder().encode("x".repeat(1024)), /a number in a header is not octal/],
    ["that is empty", new Uint8Array(), /it ends without the two zero blocks/],
  ])("a tar %s is told", async (_, tar, expected) => {
    const [fault, ...more] = await faultsWith({ tar });
    expect(fault).toMatch(expected);
    expect(more).toEqual([]);
  });
});

describe("of an entry", () => {
  test.each([
    ["outside", { path: "a/../../b" }, /"a\/\.\.\/\.\.\/b" leads outside$/],
    ["with an absolute name", { path: "/etc/passwd" }, /has an absolute name$/],
    ["of an unknown type", { path: "x", type: "Z" }, /has the unknown type "Z"$/],
    ["hard linked outside", { path: "x", type: "1", target: "../../etc/shadow" }, /is a hard link that leads outside/],
    ["linked to nothing", { path: "x", type: "2" }, /is a link to nothing$/],
    ["that hides nothing", { path: "etc/.wh." }, /is a whiteout of no name$/],
    ["that hides its parent", { path: "etc/.wh..." }, /is a whiteout of no name$/],
    ["that is a folder with content", { path: "x/", type: "5", content: "x" }, /is no file and yet has content$/],
  ])("%s is told", async (_, member, expected) => {
    const faults = await faultsWith({ tar: tarOf([member]) });
    expect(faults).toEqual([expect.stringMatching(expected)]);
    expect(faults[0]).toMatch(/^entry: layer 1 /);
  });

  test("behind a symlink, and twice, are told", async () => {
    const tar = tarOf([
      { path: "out", type: "2", target: "/" },
      { path: "out/etc/passwd", content: "x" },
      { path: "out", content: "y" },
    ]);
    expect(await faultsWith({ tar })).toEqual([
      expect.stringMatching(/"out\/etc\/passwd" lies behind the symlink "out" of the same layer$/),
      expect.stringMatching(/"out" comes twice$/),
    ]);
  });

  test("whiteouts, devices, long names and folders that come again are no faults", async () => {
    const tar = tarOf([
      { path: "./", type: "5" },
      { path: "dev/", type: "5" },
      { path: "dev/", type: "5" },
      { path: "dev/null", type: "3" },
      { path: "dev/.wh..wh..opq" },
      { path: `${"long/".repeat(40)}name`, format: "pax", content: "x" },
      { path: `${"gnu/".repeat(40)}name`, format: "gnu", content: "x" },
    ]);
    expect(await faultsWith({ tar })).toEqual([]);
  });
});
