import { expect, test } from "bun:test";
import type { IdMapping } from "../../src/runtime/id-mapping.ts";
import { ID_MAPPING_SCRIPT, ID_WAITING_SCRIPT, ID_WRITING_SCRIPT } from "../../src/runtime/id-mapping-script.ts";
import { layerWorkerCommand, sandboxCommand, type WorkerStart } from "../../src/runtime/sandbox-command.ts";

const starting = (mapping: IdMapping): WorkerStart => ({
  means: { identity: "root", fuseOverlayfs: null },
  self: { file: "/opt/cooper", args: [] },
  idMapping: async () => mapping,
});
const NAMESPACES = ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"];
const STEP = { folder: "/s/work/a b", network: "none", stdio: "output" } as const;
const NAMED = { kind: "named", uids: "0 1000 1 1 100000 65535", gids: "0 100 1 1 200000 65535" } as const;

test("root's step gets namespaces, and no user namespace", async () => {
  expect(await sandboxCommand(starting({ kind: "none" }), { ...STEP, network: "host" })).toEqual({
    file: "unshare",
    args: [...NAMESPACES, "--", "/opt/cooper", "native-worker", "step", "/s/work/a b"],
    env: {},
  });
});

test("where the terminal is the step's, what is typed to end it ends the step alone", async () => {
  const { file, args } = await sandboxCommand(starting({ kind: "none" }), { ...STEP, stdio: "inherited" });
  const [option, script = "", ...rest] = args;
  expect([file, option, script.split(";")[0]]).toEqual(["/bin/sh", "-c", "trap '' INT QUIT"]);
  const usual = await sandboxCommand(starting({ kind: "none" }), STEP);
  expect(rest).toEqual(["sh", usual.file, ...usual.args]);
});

test("root's layer worker is cooper itself", async () => {
  expect(await layerWorkerCommand(starting({ kind: "none" }))).toEqual({
    file: "/opt/cooper",
    args: ["native-worker", "layers"],
    env: {},
  });
});

test("an unshare that looks up ids is started as it is, without a shell", async () => {
  expect(await sandboxCommand(starting({ kind: "automatic" }), STEP)).toEqual({
    file: "unshare",
    args: [
      ...["--user", "--map-auto", "--map-root-user", ...NAMESPACES, "--net", "--"],
      ...["/opt/cooper", "native-worker", "step", "/s/work/a b"],
    ],
    env: {},
  });
});

test("root of a container writes the ids of a step itself, and needs no namespace for layers", async () => {
  const mapping = { kind: "written", uids: "0 0 1\n1 1 65536", gids: "0 0 65536" } as const;
  const { file, args } = await sandboxCommand(starting(mapping), STEP);
  expect([file, ...args.slice(0, 5)]).toEqual([
    ...["/bin/sh", "-c", ID_WRITING_SCRIPT, "sh", mapping.uids, mapping.gids],
  ]);
  expect(ID_WRITING_SCRIPT).not.toContain("newuidmap");
  expect((await layerWorkerCommand(starting(mapping))).file).toBe("/opt/cooper");
});

test("where ids are named, the starter gets them and all that unshare is to have, each word by itself", async () => {
  const { file, args } = await layerWorkerCommand(starting(NAMED));
  expect([file, ...args]).toEqual([
    ...["/bin/sh", "-c", ID_MAPPING_SCRIPT, "sh", NAMED.uids, NAMED.gids, "--"],
    ...["/bin/sh", "-c", ID_WAITING_SCRIPT, "sh", "/opt/cooper", "native-worker", "layers"],
  ]);
});
