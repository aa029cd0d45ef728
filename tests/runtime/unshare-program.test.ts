import { expect, test } from "bun:test";
import { readUnshare } from "../../src/runtime/unshare-program.ts";

const OPTIONS = `
 -m, --mount[=<file>]      unshare mounts namespace
 -u, --uts[=<file>]        unshare UTS namespace
 -i, --ipc[=<file>]        unshare System V IPC namespace
 -n, --net[=<file>]        unshare network namespace
 -p, --pid[=<file>]        unshare pid namespace
 -U, --user[=<file>]       unshare user namespace
 -f, --fork                fork before launching <program>
 --kill-child[=<signame>]  when dying, kill the forked child
`;

test("util-linux is known by its version, and what it can do by its help", () => {
  expect(readUnshare(`${OPTIONS} --map-auto   map`, "unshare from util-linux 2.38.1\n")).toEqual({
    version: "2.38.1",
    mapsIds: true,
    missing: [],
  });
});

test("before 2.38 it cannot look ids up", () => {
  expect(readUnshare(OPTIONS, "unshare from util-linux 2.37.2")).toMatchObject({ mapsIds: false, missing: [] });
});

test("somebody else's unshare has no version, and what it lacks is named", () => {
  const busybox = OPTIONS.replace(/.*--kill-child.*\n/, "");
  expect(readUnshare(busybox)).toEqual({ version: undefined, mapsIds: false, missing: ["--kill-child"] });
});
