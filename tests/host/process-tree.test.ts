import { expect, test } from "bun:test";
import { processIdentity } from "../../src/host/process-identity.ts";
import { descendantsOf, killRemaining } from "../../src/host/process-tree.ts";

const onLinux = process.platform === "linux";

test.skipIf(!onLinux)("what left for a session of its own is still found and ended", async () => {
  const child = Bun.spawn(["sh", "-c", "setsid sleep 300 & echo $!; sleep 300"], { stdout: "pipe" });
  try {
    const { value } = await child.stdout.getReader().read();
    const runaway = Number(new TextDecoder().decode(value).trim());
    const family = descendantsOf(child.pid);
    expect(family.map(({ pid }) => pid)).toContain(runaway);
    killRemaining(family);
    for (let tries = 0; processIdentity(runaway) !== undefined && tries < 100; tries += 1) await Bun.sleep(20);
    expect(processIdentity(runaway)).toBeUndefined();
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

test.skipIf(!onLinux)("a process with a pid that was another's is left alone", async () => {
  const child = Bun.spawn(["sleep", "300"]);
  try {
    killRemaining([{ pid: child.pid, identity: "an earlier one" }]);
    await Bun.sleep(50);
    expect(child.exitCode).toBeNull();
    expect(child.signalCode).toBeNull();
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});
