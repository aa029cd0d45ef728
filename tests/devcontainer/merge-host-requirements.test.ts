import { expect, test } from "bun:test";
import { mergeHostRequirements } from "../../src/devcontainer/merge-host-requirements.ts";
import type { HostRequirements } from "../../src/devcontainer/schema.ts";

test("nothing required is no requirement", () => {
  expect(mergeHostRequirements([])).toBeUndefined();
  expect(mergeHostRequirements([{}, { gpu: false }, { cpus: 0, memory: "0gb" }])).toBeUndefined();
});

test("the largest of each counts, sizes in bytes", () => {
  expect(
    mergeHostRequirements([
      { cpus: 4, memory: "1023mb" },
      { cpus: 2, memory: "1gb", storage: "3kb" },
    ]),
  ).toEqual({
    cpus: 4,
    memory: "1073741824",
    storage: "3072",
  });
});

test("every unit is a power of 1024, and no unit is bytes", () => {
  const bytes = (memory: string | number) => mergeHostRequirements([{ memory }])?.memory;
  expect([bytes("7"), bytes(7), bytes("1kb"), bytes("1mb"), bytes("1gb"), bytes("1tb")]).toEqual([
    "7",
    "7",
    "1024",
    "1048576",
    "1073741824",
    "1099511627776",
  ]);
});

test("a size that cannot be read is left out", () => {
  expect(mergeHostRequirements([{ cpus: 1, memory: "8GB", storage: "1.5gb" }])).toEqual({ cpus: 1 });
});

/** As the reference CLI merges them: image first, devcontainer.json second. */
const gpus: [HostRequirements["gpu"], HostRequirements["gpu"], HostRequirements["gpu"]][] = [
  [true, true, {}],
  [true, "optional", {}],
  [true, false, true],
  [undefined, true, true],
  ["optional", "optional", "optional"],
  ["optional", false, "optional"],
  [false, "optional", "optional"],
  [false, { cores: 2, memory: "1kb" }, { cores: 2, memory: "1kb" }],
  [{ cores: 1 }, true, { cores: 1 }],
  ["optional", { cores: 2, memory: "1kb" }, { cores: 2, memory: "1024" }],
  [{ cores: 3 }, { cores: 2, memory: "1kb" }, { cores: 3, memory: "1024" }],
];

for (const [image, config, merged] of gpus) {
  test(`gpu ${JSON.stringify(image)} and ${JSON.stringify(config)} make ${JSON.stringify(merged)}`, () => {
    const requirements = [image, config].map((gpu) => (gpu === undefined ? {} : { gpu }));
    expect(mergeHostRequirements(requirements)?.gpu).toEqual(merged);
  });
}
