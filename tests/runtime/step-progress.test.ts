import { expect, test } from "bun:test";
import { createBuildLogReader } from "../../src/runtime/build-log.ts";
import { createStepProgress } from "../../src/runtime/step-progress.ts";

function progressWith() {
  let text = "";
  let now = 0;
  const progress = createStepProgress(
    (part) => {
      text += part;
    },
    () => {
      now += 100;
      return now;
    },
  );
  return { progress, said: () => text };
}

test("steps are told in BuildKit's plain form, which the views read", () => {
  const { progress, said } = progressWith();
  const first = progress.begin("[1/2] RUN a");
  first.output("one\ntwo");
  first.output(" more\n");
  first.done();
  progress.begin("[2/2] RUN b").cached();
  const third = progress.begin("x");
  third.output("last words");
  third.failed("exit code: 7");
  const read = createBuildLogReader();
  expect(said().trimEnd().split("\n").flatMap(read)).toEqual([
    { kind: "step", key: "1", title: "[1/2] RUN a" },
    { kind: "output", key: "1", text: "one" },
    { kind: "output", key: "1", text: "two more" },
    { kind: "done", key: "1", cached: false },
    { kind: "step", key: "2", title: "[2/2] RUN b" },
    { kind: "done", key: "2", cached: true },
    { kind: "step", key: "3", title: "x" },
    { kind: "output", key: "3", text: "last words" },
    { kind: "failed", key: "3" },
  ]);
});
