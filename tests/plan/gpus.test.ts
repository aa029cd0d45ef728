import { expect, test } from "bun:test";
import { asksForGpus, decideGpus } from "../../src/plan/gpus.ts";

const NVIDIA = "{nvidia-container-runtime []}";

test("without a requirement there are no GPUs and nobody is asked", () => {
  for (const requirement of [undefined, false]) {
    expect(asksForGpus(requirement, "detect")).toBe(false);
    expect(decideGpus(requirement, { availability: "all", runtimes: NVIDIA })).toEqual({
      gpus: false,
      missing: undefined,
    });
  }
});

test("the engine is asked only where the command line does not know", () => {
  expect((["all", "detect", "none"] as const).map((availability) => asksForGpus(true, availability))).toEqual([
    false,
    true,
    false,
  ]);
});

test("GPUs are handed in when they are said or found to be there", () => {
  const gpus = (availability: "all" | "detect" | "none", runtimes: string | undefined) =>
    decideGpus({ cores: 4 }, { availability, runtimes }).gpus;
  expect(gpus("all", undefined)).toBe(true);
  expect(gpus("detect", NVIDIA)).toBe(true);
  expect(gpus("detect", "<no value>")).toBe(false);
  expect(gpus("detect", undefined)).toBe(false);
  expect(gpus("none", NVIDIA)).toBe(false);
});

test("a GPU that is missing is warned of unless it is optional", () => {
  const answer = { availability: "none", runtimes: undefined } as const;
  expect(decideGpus(true, answer).missing).toContain("--gpu-availability all");
  expect(decideGpus("optional", answer).missing).toBeUndefined();
  expect(decideGpus("optional", { availability: "all", runtimes: undefined })).toEqual({
    gpus: true,
    missing: undefined,
  });
});
