import { expect, test } from "bun:test";
import { layerWorkerCommand, sandboxCommand } from "../../src/runtime/sandbox-command.ts";

const self = { file: "/opt/cooper", args: [] };

test("a step runs in namespaces of its own, with a network of its own only where it is to have none", () => {
  const start = { means: { identity: "root", fuseOverlayfs: null }, self } as const;
  const { file, args } = sandboxCommand(start, { folder: "/work/1", network: "none" });
  expect([file, ...args].join(" ")).toBe(
    "unshare --mount --pid --fork --kill-child --uts --ipc --net -- /opt/cooper native-worker step /work/1",
  );
  expect(sandboxCommand(start, { folder: "/work/1", network: "host" }).args).not.toContain("--net");
});

test("root makes layers as it is, everybody else in a user namespace", () => {
  const root = { means: { identity: "root", fuseOverlayfs: null }, self } as const;
  expect(layerWorkerCommand(root)).toEqual({ file: "/opt/cooper", args: ["native-worker", "layers"], env: {} });
  const user = { means: { identity: "user-namespace", fuseOverlayfs: null }, self } as const;
  expect(layerWorkerCommand(user).args).toContain("--user");
});
