import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import {
  formatPlatform,
  normalizePlatform,
  parsePlatform,
  platformsRunningOn,
  samePlatform,
} from "../../src/oci/platform.ts";

test.each([
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["Linux/AMD64/v1", "linux/amd64"],
  ["linux/amd64/v3", "linux/amd64/v3"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/arm64/8", "linux/arm64"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/arm/7", "linux/arm/v7"],
  ["linux/armhf", "linux/arm/v7"],
  ["linux/armel", "linux/arm/v6"],
  ["linux/i386", "linux/386"],
  ["macos/arm64", "darwin/arm64"],
  ["linux/riscv64", "linux/riscv64"],
])("the platform %s is %s", (written, normalised) => {
  expect(formatPlatform(parsePlatform(written))).toBe(normalised);
});

test.each(["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/amd64,linux/arm64", "linux/arm/"])(
  "%j is refused as a platform",
  (written) => {
    expect(() => parsePlatform(written)).toThrow(UserError);
  },
);

test("an empty variant, as some engines report it, counts as none", () => {
  const arm64 = normalizePlatform({ os: "linux", architecture: "arm64", variant: "" });
  expect(samePlatform(arm64, parsePlatform("linux/arm64"))).toBe(true);
  expect(samePlatform(arm64, parsePlatform("linux/arm/v7"))).toBe(false);
});

test("older generations run on newer ones, best first", () => {
  const runningOn = (platform: string) => platformsRunningOn(parsePlatform(platform)).map(formatPlatform);
  expect(runningOn("linux/arm/v7")).toEqual(["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]);
  expect(runningOn("linux/amd64/v3")).toEqual(["linux/amd64/v3", "linux/amd64/v2", "linux/amd64"]);
  expect(runningOn("linux/amd64")).toEqual(["linux/amd64"]);
  expect(runningOn("linux/arm64/v9")).toEqual(["linux/arm64/v9", "linux/arm64"]);
  expect(runningOn("linux/arm64/v8")).toEqual(["linux/arm64"]);
});
