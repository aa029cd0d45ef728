import { expect, test } from "bun:test";
import type { FeatureStep } from "../../src/plan/build-plan.ts";
import { explainBuildFailure } from "../../src/runtime/build-failure.ts";
import { createBuildLogReader } from "../../src/runtime/build-log.ts";
import { advanceSteps, type BuildSteps } from "../../src/runtime/build-steps.ts";

const COMMAND = { file: "docker", args: ["buildx", "build", "."], env: {} };
const HELLO: FeatureStep = {
  kind: "feature",
  folder: "hello_0",
  reference: "ghcr.io/acme/hello:1",
  digest: "",
  id: "hello",
  name: "Hello",
  description: null,
  version: "1.0.0",
  documentationUrl: "https://example.com/hello",
  warnings: [],
  options: [],
  containerEnv: {},
};

function explain(output: string, exitCode = 1) {
  const read = createBuildLogReader();
  let steps: BuildSteps = new Map();
  for (const line of output.split("\n")) for (const event of read(line)) steps = advanceSteps(steps, event, [HELLO]);
  return explainBuildFailure(COMMAND, { exitCode, output, steps });
}

test("a failed Feature is named with what it printed itself, its exit code and its documentation", () => {
  const error = explain(
    `#7 [2/2] RUN cd /tmp/dev-container-features/hello_0  && ./devcontainer-features-install.sh
#7 0.1 ${"=".repeat(75)}
#7 0.1 Feature       : Hello
#7 0.1 ${"=".repeat(75)}
#7 0.2 fetching
#7 0.3 \u001b[91mno such host\u001b[0m
#7 0.3 ERROR: Feature "Hello" (ghcr.io/acme/hello:1) failed to install!
#7 ERROR: process "/bin/sh -c cd" did not complete successfully: exit code: 6`,
  );
  expect(error.message).toBe(
    'Feature "Hello" (ghcr.io/acme/hello:1, version 1.0.0) failed to install with exit code 6:\n  fetching\n  no such host\nIts documentation: https://example.com/hello\nCommand failed: docker buildx build .',
  );
});

test("the exit code is the builder's, whatever the Feature printed", () => {
  const { message } = explain(
    `STEP 2/3: RUN cd /tmp/dev-container-features/hello_0  && ./devcontainer-features-install.sh
exit code: 99
Error: building at STEP "RUN cd /tmp": while running runtime: exit status 7`,
  );
  expect(message).toStartWith(
    'Feature "Hello" (ghcr.io/acme/hello:1, version 1.0.0) failed to install with exit code 7:',
  );
});

test("another failed step is named with its output", () => {
  const error = explain("#5 [1/2] RUN make\n#5 0.1 make: *** no rule\n#5 ERROR: exit code: 2");
  expect(error.message).toBe(
    "The build failed at: [1/2] RUN make\n  make: *** no rule\nCommand failed: docker buildx build .",
  );
});

test("a build that fails before any step says what the engine said", () => {
  expect(explain("ERROR: unknown flag: --network=x", 125).message).toBe(
    "Command failed: docker buildx build . (exit code 125)\nERROR: unknown flag: --network=x",
  );
  const noTarget = '#0 building with "default" instance\n#1 [internal] load build definition\nERROR: no such target';
  expect(explain(noTarget).message).toBe(`Command failed: docker buildx build . (exit code 1)\n${noTarget}`);
});

test("a full disk and an engine that went away are told apart from a broken step", () => {
  expect(explain("#5 [1/2] RUN make\n#5 ERROR: write /x: no space left on device").hint).toContain("The disk is full");
  expect(
    explain("#5 [1/2] RUN make\nCannot connect to the Docker daemon at unix:///x. Is the docker daemon running?")
      .message,
  ).toContain("is not running");
});

test("an image that policy forbids is said to be", () => {
  expect(explain("error: could not resolve image due to policy").message).toBe(
    "Could not resolve image due to policy.",
  );
});

test("what BuildKit had not told of a step when it failed is taken from what it repeats", () => {
  const error = explain(
    `#7 [2/2] RUN cd /tmp/dev-container-features/hello_0  && ./devcontainer-features-install.sh
#7 0.2 one
#7 0.3 two
#7 ERROR: process "/bin/sh -c cd" did not complete successfully: exit code: 6
------
 > [2/2] RUN cd /tmp/dev-container-features/hello_0:
0.2 one
0.3 two
0.4 the last words
------
Dockerfile:4`,
  );
  expect(error.message).toContain("exit code 6:\n  one\n  two\n  the last words\n");
});
