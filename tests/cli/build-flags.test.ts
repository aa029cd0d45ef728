import { expect, test } from "bun:test";
import { BUILD_FLAGS, readBuildkit } from "../../src/cli/build-flags.ts";
import { parseFlags } from "../../src/cli/flags.ts";

const buildkit = (argv: readonly string[], environment: Record<string, string> = {}) =>
  readBuildkit(parseFlags(BUILD_FLAGS, argv, { kind: "words", atMost: 0 }), { environment });

test("BuildKit is used unless the option or Docker's own variable turns it off", () => {
  expect(buildkit([])).toBe("auto");
  expect(buildkit([], { DOCKER_BUILDKIT: "1" })).toBe("auto");
  expect(buildkit(["--buildkit", "never"])).toBe("never");
  expect(buildkit([], { DOCKER_BUILDKIT: "0" })).toBe("never");
  expect(buildkit(["--buildkit", "auto"], { DOCKER_BUILDKIT: "false" })).toBe("never");
});
