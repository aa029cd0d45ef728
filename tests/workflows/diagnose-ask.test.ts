import { expect, test } from "bun:test";
import { Interrupted } from "../../src/errors.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import { complaintOf, createAsk } from "../../src/workflows/diagnose-ask.ts";

const runProcess = createRunProcess(process.env, { signal: new AbortController().signal });

test("an answer comes with the exit code, whatever it is", async () => {
  const answer = await createAsk(runProcess, 60_000).program("sh", ["-c", "echo out; echo err >&2; exit 3"]);
  expect(answer).toEqual({ kind: "exited", exitCode: 3, stdout: "out\n", stderr: "err\n" });
});

test("a program that does not answer is given up, and told from one that cannot be started", async () => {
  expect(await createAsk(runProcess, 50).program("sleep", ["600"])).toEqual({ kind: "silent" });
  expect(await createAsk(runProcess, 60_000).program("/nonexistent/docker", [])).toMatchObject({ kind: "not started" });
});

test("an interruption ends the question instead of answering it", async () => {
  const controller = new AbortController();
  const ask = createAsk(createRunProcess(process.env, { signal: controller.signal }), 60_000);
  const asked = ask.program("sleep", ["600"]);
  controller.abort(new Interrupted("SIGINT"));
  await expect(asked).rejects.toThrow("Interrupted by SIGINT.");
});

test("work that takes too long or fails is replaced", async () => {
  const ask = createAsk(runProcess, 20);
  expect(await ask.within(new Promise<string>(() => {}), "late")).toBe("late");
  expect(await ask.within(Promise.reject<string>(new Error("no")), "failed")).toBe("failed");
  expect(await ask.within(Promise.resolve("done"), "late")).toBe("done");
});

test("of what a program complains, the line that says what is wrong is told", () => {
  expect(
    complaintOf({
      exitCode: 1,
      stderr: "time=x level=warning msg=y\nError: database is locked\n\nSee 'podman --help'\n",
    }),
  ).toBe("database is locked");
  expect(
    complaintOf({
      exitCode: 1,
      stderr: "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
    }),
  ).toBe("Cannot connect to the Docker daemon at unix:///x");
  expect(complaintOf({ exitCode: 1, stderr: "Error: proxyconnect http://ada:hunter2@proxy:1 failed" })).toBe(
    "proxyconnect http://ada@proxy:1 failed",
  );
  expect(complaintOf({ exitCode: 7, stderr: "" })).toBe("exit code 7");
});
