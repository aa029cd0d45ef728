import { expect, test } from "bun:test";
import { openLayerWorker } from "../../src/runtime/layer-worker.ts";

test("a worker that does not start fails whatever is asked of it, then and later", async () => {
  const start = {
    means: { identity: "root", fuseOverlayfs: null } as const,
    self: { file: "/bin/false", args: [] },
    idMapping: async () => ({ kind: "none" }) as const,
  };
  const worker = openLayerWorker(start, { environment: process.env, signal: new AbortController().signal });
  await expect(worker.place("/a", "/b")).rejects.toThrow("Could not start a step in namespaces of its own");
  await expect(worker.remove("/a")).rejects.toThrow("Could not start a step in namespaces of its own");
  await worker.close();
});
