import { expect, test } from "bun:test";
import { linkedPlace, parentOf, placeInLayer } from "../../src/oci/layer-place.ts";

test.each([
  ["./", "entry", ""],
  ["./usr//bin/./ls", "entry", "usr/bin/ls"],
  ["/etc/passwd", "entry", "etc/passwd"],
  ["usr/", "entry", "usr"],
  ["a.wh.b", "entry", "a.wh.b"],
  ["etc/.wh.passwd", "whiteout", "etc/passwd"],
  [".wh.etc", "whiteout", "etc"],
  ["etc/.wh....", "whiteout", "etc/..."],
  ["etc/.wh..wh..opq", "opaque", "etc"],
  [".wh..wh..opq", "opaque", ""],
] as const)("%s is %s of %p", (written, kind, path) => {
  expect(placeInLayer(written)).toEqual({ kind, path });
});

test.each([".wh..wh.plnk", ".wh..wh.plnk/12.34", "a/.wh..wh.aufs"])("%s is a storage driver's own", (written) => {
  expect(placeInLayer(written)).toEqual({ kind: "note" });
});

test.each([
  ["../x", "it leads outside"],
  ["a/../../x", "it leads outside"],
  ["a/..", "it leads outside"],
  ["a/.wh.", "it deletes nothing that has a name"],
  ["a/.wh..", "it deletes nothing that has a name"],
  ["a/.wh...", "it deletes nothing that has a name"],
  [".wh.a/b", "it lies in a deletion mark"],
  [`${"a/".repeat(3000)}b`, "its name is too long"],
])("%s is refused", (written, reason) => {
  expect(() => placeInLayer(written)).toThrow(reason);
});

test("a hard link's target is a place of the root, and no other", () => {
  expect(linkedPlace("/bin/./ls", "x")).toBe("bin/ls");
  expect(() => linkedPlace("../etc/shadow", "x")).toThrow("it leads outside");
  expect(() => linkedPlace("", "x")).toThrow("it is a link to nothing");
});

test("the root is the parent of what lies there", () => {
  expect(["a/b/c", "a/b", "a"].map(parentOf)).toEqual(["a/b", "a", ""]);
});
