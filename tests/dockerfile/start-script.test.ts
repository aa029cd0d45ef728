import { expect, test } from "bun:test";
import { startScript } from "../../src/dockerfile/start-script.ts";

test("entrypoints run as they were written, each on its line, before the command and the wait", () => {
  expect(startScript(["/usr/local/share/docker-init.sh", "FOO=1 /opt/start --quiet"])).toBe(`trap "exit 0" 15
echo Container started
/usr/local/share/docker-init.sh
FOO=1 /opt/start --quiet
exec "$@"
while sleep 1 & wait $!; do :; done`);
});

test("arguments behind the dash take the place of the wait", async () => {
  const child = Bun.spawn(["/bin/sh", "-c", startScript(["echo first"]), "-", "echo", "a b"], { stdout: "pipe" });
  expect(await child.stdout.text()).toBe("Container started\nfirst\na b\n");
  expect(await child.exited).toBe(0);
});

test("without arguments it waits, and ends at once and well when told to stop", async () => {
  const child = Bun.spawn(["/bin/sh", "-c", startScript([]), "-"], { stdout: "pipe" });
  const reader = child.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("Container started\n");
  expect(child.exitCode).toBeNull();
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
});
