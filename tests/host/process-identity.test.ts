import { expect, test } from "bun:test";
import { processIdentity, runsInContainer } from "../../src/host/process-identity.ts";

const onLinux = test.skipIf(process.platform !== "linux");

onLinux("a process is the same as long as it lives, and no other is", async () => {
  const child = Bun.spawn(["sleep", "60"]);
  try {
    const identity = processIdentity(child.pid);
    expect(identity).toMatch(new RegExp(`^[0-9a-f-]{36} ${child.pid} \\d+$`));
    expect(processIdentity(child.pid)).toBe(identity);
    expect(processIdentity(process.pid)).not.toBe(identity);
  } finally {
    child.kill();
    await child.exited;
  }
  expect(processIdentity(child.pid)).toBeUndefined();
});

onLinux("a name with parentheses and blanks hides nothing of a process", async () => {
  const child = Bun.spawn(["sh", "-c", "printf 'a) R 1 (b' >/proc/$$/comm; echo; read line"], { stdin: "pipe" });
  try {
    await child.stdout.getReader().read();
    expect(processIdentity(child.pid)).toMatch(new RegExp(`^[0-9a-f-]{36} ${child.pid} \\d{3,}$`));
  } finally {
    child.kill();
    await child.exited;
  }
});

onLinux("this process runs in no container of that id", () => {
  expect(runsInContainer(process.pid, "9ab81b62eed9bd2eca5b72f281760df4924da37d736fbb7bccb0fd10e95507fc")).toBe(false);
});
