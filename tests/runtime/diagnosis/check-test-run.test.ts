import { expect, test } from "bun:test";
import { checkTestRun } from "../../../src/runtime/diagnosis/check-test-run.ts";
import { testProgram } from "../../../src/runtime/diagnosis/test-program.ts";
import { docker, podman } from "./healthy-facts.ts";

const failed = (step: "build" | "run", found: string) => ({ kind: "failed", step, found }) as const;

test("a failed test run says which half failed and what the engine complained of", () => {
  expect(checkTestRun(failed("build", "no space left on device"), docker())).toEqual({
    id: "run",
    title: "Test run",
    status: "problem",
    detail: "an image could not be built: no space left on device",
    remedy: "The disk is full: free some space.",
  });
  expect(checkTestRun(failed("run", "it broke"), docker())).toEqual({
    id: "run",
    title: "Test run",
    status: "problem",
    detail: "an image was built, and no container of it ran: it broke",
  });
});

test("what Podman's runtimes are known to complain of comes with a remedy", () => {
  const rlimits = "error setting rlimit type 7: operation not permitted";
  expect(checkTestRun(failed("run", rlimits), podman()).remedy).toContain("~/.config/containers/containers.conf");
  const hybrid = "crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2";
  expect(checkTestRun(failed("run", hybrid), podman()).remedy).toContain('runtime = "runc"');
});

test("the test program is an executable of its architecture that no image has to bring", () => {
  const header = (architecture: string) => {
    const program = testProgram(architecture) ?? new Uint8Array();
    return { magic: [...program.slice(0, 4)], machine: program[18], size: program.length };
  };
  expect(header("amd64")).toEqual({ magic: [0x7f, 0x45, 0x4c, 0x46], machine: 0x3e, size: 129 });
  expect(header("arm64")).toEqual({ magic: [0x7f, 0x45, 0x4c, 0x46], machine: 0xb7, size: 132 });
  expect(testProgram("s390x")).toBeUndefined();
  expect(checkTestRun({ kind: "unsupported", architecture: "s390x" }, docker()).status).toBe("warning");
});
