import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterWorkspace } from "../../src/store/agent-presence.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-presence-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("whoever leaves a folder is told who is left, and nothing is kept of a folder where nobody is", () => {
  const [first, second] = [enterWorkspace(root, "/a"), enterWorkspace(root, "/a")];
  const elsewhere = enterWorkspace(root, "/b");
  expect(first.leave()).toBe("running");
  expect(second.leave()).toBe("none");
  expect(elsewhere.leave()).toBe("none");
  expect(readdirSync(join(root, "agents"))).toEqual([]);
});

test("a process that was killed is told until it is forgotten", () => {
  const module = join(import.meta.dir, "..", "..", "src", "store", "agent-presence.ts");
  const script = `import { enterWorkspace } from ${JSON.stringify(module)}; enterWorkspace(${JSON.stringify(root)}, "/c"); process.kill(process.pid, "SIGKILL");`;
  Bun.spawnSync([process.execPath, "-e", script]);
  const presence = enterWorkspace(root, "/c");
  expect(enterWorkspace(root, "/c").leave()).toBe("running");
  expect(presence.leave()).toBe("killed");
  presence.forgetKilled();
  expect(enterWorkspace(root, "/c").leave()).toBe("none");
});

test("where nothing can be written, others are as if they had been killed", () => {
  writeFileSync(join(root, "file"), "");
  const presence = enterWorkspace(join(root, "file"), "/a");
  expect(presence.leave()).toBe("killed");
  presence.forgetKilled();
});
