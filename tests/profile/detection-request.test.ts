import { expect, test } from "bun:test";
import { detectProfile } from "../../src/profile/detect-profile.ts";
import { parseDetectionRequest } from "../../src/profile/detection-request.ts";
import { parseRepoProfile } from "../../src/profile/repo-profile.ts";

function detect(files: Readonly<Record<string, string>>, overrides: object) {
  const { overrides: read } = parseDetectionRequest(JSON.stringify({ repo_dir: ".", overrides }));
  const facts = {
    names: Object.keys(files).sort(),
    read: (name: string) => files[name],
    readToml: () => undefined,
    pythonVersion: undefined,
  };
  const profile = detectProfile(facts, read ?? undefined);
  return parseRepoProfile(JSON.stringify(profile), "detected").profile;
}

test("what is asked for counts, and says so; what is not is found in the files", () => {
  const profile = detect(
    { "requirements.txt": "pytest\n", "conftest.py": "", "mypy.ini": "" },
    {
      install_cmds: ["make deps"],
      test_cmd: "make check",
      lint_cmd: null,
      env: { A: "1" },
      repo_setup_cmds: ["./configure"],
      repo_setup_idempotency_check: "fail",
      allow_unauthenticated_apt: true,
      policy_profile: "strict",
    },
  );
  expect(profile).toMatchObject({
    status: "supported",
    install_cmds: ["make deps"],
    env: { A: "1" },
    gates: { test: { cmd: "make check", timeout_sec: 1200 }, lint: null, typecheck: { cmd: "python -m mypy ." } },
    decisions: {
      install: { value: ["make deps"], source: "override" },
      tests: { value: "make check", source: "override" },
      typecheck: { source: "mypy.ini" },
    },
    repo_setup_cmds: ["./configure"],
    repo_setup_idempotency_check: "fail",
    repo_setup_continue_on_failure: false,
    allow_unauthenticated_apt: true,
    policy_profile: "strict",
  });
});

test("commands alone make a profile of a repository in which nothing is found", () => {
  expect(detect({}, { policy_profile: "strict" })).toMatchObject({ status: "unsupported", policy_profile: "strict" });
  expect(detect({}, { install_cmds: ["true"], test_cmd: "true" })).toMatchObject({
    status: "supported",
    language: "python",
    missing: ["lint", "typecheck"],
  });
});

test.each([
  ["{}", "repo_dir is missing"],
  ['{"repo_dir":"."', "is not JSON"],
  ['{"repo_dir":".","override":{}}', 'unknown member override; did you mean "overrides"?'],
  ['{"repo_dir":".","overrides":{"test_cmds":"x"}}', 'overrides.test_cmds; did you mean "test_cmd"?'],
  ['{"repo_dir":".","overrides":{"env":{"A":1}}}', "overrides.env.A: found the number 1"],
  ['{"repo_dir":".","overrides":{"policy_profile":"lax"}}', 'overrides.policy_profile: found "lax"'],
])("the request %p is refused: %p", (text, message) => {
  expect(() => parseDetectionRequest(text)).toThrow(message);
});
