import { expect, test } from "bun:test";
import { chooseIdMapping, createIdMapping } from "../../src/runtime/id-mapping.ts";
import type { SandboxMeans } from "../../src/runtime/sandbox-means.ts";

const IDS = { own: 1000, start: 100000, size: 65536, isFirst: true };
const MEANS = {
  identity: "user-namespace",
  fuseOverlayfs: null,
  ids: { user: IDS, group: { ...IDS, own: 100, start: 200000, size: 65535 } },
} satisfies SandboxMeans;
const recent = async () => " --map-auto   map users and groups automatically";
const old = async () => " -r, --map-root-user";

test("root needs no ids, and unshare is not asked", async () => {
  const never = () => Promise.reject(new Error("asked"));
  expect(await chooseIdMapping({ identity: "root", fuseOverlayfs: null }, never)).toEqual({ kind: "none" });
});

test("an unshare that can look ids up does it", async () => {
  expect(await chooseIdMapping(MEANS, recent)).toEqual({ kind: "automatic" });
});

test("for an older one the ids are named, as the newer one maps them", async () => {
  expect(await chooseIdMapping(MEANS, old)).toEqual({
    kind: "named",
    uids: "0 1000 1 1 100000 65535",
    gids: "0 100 1 1 200000 65534",
  });
});

test("a range that is not the user's first is named, as unshare would take the first", async () => {
  const means = { ...MEANS, ids: { ...MEANS.ids, group: { ...MEANS.ids.group, isFirst: false } } };
  expect((await chooseIdMapping(means, recent)).kind).toBe("named");
});

test("unshare is asked once, however many workers are started", async () => {
  let asked = 0;
  const idMapping = createIdMapping(MEANS, async () => {
    asked += 1;
    return { exitCode: 0, stdout: "--map-auto", stderr: "" };
  });
  expect(asked).toBe(0);
  await Promise.all([idMapping(), idMapping()]);
  expect(asked).toBe(1);
});
