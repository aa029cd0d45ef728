import { expect, test } from "bun:test";
import { compareVersions, parseVersion } from "../../src/features/semantic-version.ts";

test("versions are ordered as semver.org orders them", () => {
  const expected = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.2",
    "1.0.10",
    "1.2.0",
    "2.0.0",
    "10.0.0",
  ];
  const ordered = [...expected].reverse().flatMap((text) => {
    const version = parseVersion(text);
    return version === undefined ? [] : [{ text, version }];
  });
  ordered.sort((left, right) => compareVersions(left.version, right.version));
  expect(ordered.map(({ text }) => text)).toEqual(expected);
});

test("build metadata does not count", () => {
  expect(parseVersion("1.0.0+build.5")).toEqual({ major: 1, minor: 0, patch: 0, prerelease: [] });
});

test.each(["1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "latest", ""])("%p is no version", (text) => {
  expect(parseVersion(text)).toBeUndefined();
});
