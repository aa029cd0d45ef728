import { expect, test } from "bun:test";
import { readStats } from "../../src/runtime/container-stats.ts";

test("what engines print of a container is read, and what they do not know is null", () => {
  const id = "e".repeat(64);
  expect(readStats(`${id}\t1.55%\t392KiB / 23.54GiB\t0.01%\t486B / 0B\t0B / 1MB\t3\n`)).toEqual([
    {
      id,
      cpuPercent: 1.55,
      memory: "392KiB / 23.54GiB",
      memoryPercent: 0.01,
      network: "486B / 0B",
      block: "0B / 1MB",
      processes: 3,
    },
  ]);
  expect(readStats(`${id}\t--\t-- / --\t--\t--\t--\t--\n`)).toMatchObject([
    { cpuPercent: null, memoryPercent: null, processes: null },
  ]);
  expect(readStats("")).toEqual([]);
});
