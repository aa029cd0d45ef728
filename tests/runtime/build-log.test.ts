import { expect, test } from "bun:test";
import type { FeatureStep } from "../../src/plan/build-plan.ts";
import { createBuildLogReader } from "../../src/runtime/build-log.ts";
import { advanceSteps, type BuildSteps, failedStep } from "../../src/runtime/build-steps.ts";

const HELLO: FeatureStep = {
  kind: "feature",
  folder: "hello_0",
  reference: "./hello",
  digest: "",
  id: "hello",
  name: "Hello",
  description: null,
  version: "1.0.0",
  documentationUrl: null,
  warnings: [],
  options: [],
  containerEnv: {},
};

function stepsOf(text: string): BuildSteps {
  const read = createBuildLogReader();
  let steps: BuildSteps = new Map();
  for (const line of text.split("\n")) for (const event of read(line)) steps = advanceSteps(steps, event, [HELLO]);
  return steps;
}

const summary = (steps: BuildSteps) => [...steps.values()].map(({ title, status, tail }) => ({ title, status, tail }));

test("BuildKit's interleaved plain output is told apart by step", () => {
  const steps = stepsOf(
    `#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 715B done
#1 DONE 0.0s

#2 [a 1/2] RUN one
#3 [b 1/2] RUN two
#2 0.149 from one
#3 0.151 from two

#2 [a 1/2] RUN one
#2 0.2 again
#2 DONE 0.2s
#3 ERROR: process "/bin/sh -c two" did not complete successfully: exit code: 3`,
  );
  expect(summary(steps).slice(1)).toEqual([
    { title: "load build definition from Dockerfile", status: "done", tail: ["transferring dockerfile: 715B done"] },
    { title: "[a 1/2] RUN one", status: "done", tail: ["from one", "again"] },
    { title: "[b 1/2] RUN two", status: "failed", tail: ["from two"] },
  ]);
  expect(failedStep(steps)?.title).toBe("[b 1/2] RUN two");
});

test("a cached step says so", () => {
  expect(summary(stepsOf("#5 [2/2] RUN x\n#5 CACHED"))).toEqual([{ title: "[2/2] RUN x", status: "cached", tail: [] }]);
});

test("the step of a Feature goes by the Feature's name on every builder", () => {
  const run = "cd /tmp/dev-container-features/hello_0  && ./devcontainer-features-install.sh";
  for (const text of [
    `#7 [dev_containers_target_stage 2/2] RUN --mount=type=bind,source=/hello_0 ${run}`,
    `STEP 4/9: RUN --mount=type=bind,source=/hello_0 ${run}`,
    `Step 4/9 : RUN ${run}`,
  ]) {
    expect([...stepsOf(text).values()][0]).toMatchObject({ title: "Feature Hello 1.0.0", feature: HELLO });
  }
});

test("podman's and the classic builder's output is cut into steps, the last of which failed", () => {
  const podman = stepsOf(
    'STEP 1/2: FROM debian\nSTEP 2/2: RUN false\nboom\nError: building at STEP "RUN false": exit status 1',
  );
  expect(failedStep(podman)).toMatchObject({
    title: "RUN false",
    tail: ["boom", 'Error: building at STEP "RUN false": exit status 1'],
  });
  const classic = stepsOf(
    "Step 1/2 : FROM debian\n ---> f2b2e4aab7eb\nStep 2/2 : RUN false\n ---> Running in 0123\nboom",
  );
  expect(failedStep(classic)).toMatchObject({ title: "RUN false", tail: ["boom"] });
});

test("only the last lines of a long output are kept", () => {
  const steps = stepsOf(`#5 [2/2] RUN x\n${Array.from({ length: 100 }, (_, n) => `#5 0.1 line ${n}`).join("\n")}`);
  expect([...steps.values()][0]?.tail).toHaveLength(20);
  expect([...steps.values()][0]?.tail.at(-1)).toBe("line 99");
});

test("a step that another's failure ended is not the one that failed", () => {
  const steps = stepsOf(
    "#5 [a 2/2] RUN false\n#6 [b 2/2] RUN make\n#6 0.1 compiling\n#5 ERROR: exit code: 1\n#6 CANCELED",
  );
  expect(failedStep(steps)?.title).toBe("[a 2/2] RUN false");
});

test("a program's own line that looks like BuildKit's starts no step", () => {
  const steps = stepsOf("STEP 2/2: RUN make\n#1 compiling\n#1 DONE");
  expect(summary(steps)).toEqual([{ title: "RUN make", status: "running", tail: ["#1 compiling", "#1 DONE"] }]);
});
