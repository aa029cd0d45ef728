import { expect, test } from "bun:test";
import {
  classifyBuildFailure,
  MISSING_INSTALL,
  type ProfileFailure,
  registerFailure,
} from "../../src/profile/unsupported-registry.ts";

const FAILED: ProfileFailure = {
  repository: "/data/acme",
  profile: { python_version_target: "3.9", policy_profile: null },
  failure: MISSING_INSTALL,
  reportPath: "/data/acme/.pf_manifest/image_build/build.log",
  at: new Date("2026-01-02T03:04:05.678Z"),
};

const ENTRY = {
  dataset: "unknown",
  project: "acme",
  bug_id: null,
  variant: null,
  failure_class: "build_failure",
  failure_reason: "missing_install_mechanism",
  python_version: "3.9",
  registry_bucket: "infra_issue",
  stage: "image_build",
  policy_profile: null,
  first_seen_at: "2026-01-02T03:04:05Z",
  last_seen_at: "2026-01-02T03:04:05Z",
  count: 1,
  report_path: FAILED.reportPath,
  suggested_remediation: "missing_install_mechanism",
  retry_on_policy_change: true,
};

test("a failure is an entry with every member, and the same one again is counted", () => {
  const first = registerFailure(undefined, FAILED);
  expect(JSON.parse(first)).toEqual({ entries: [ENTRY] });
  const again = registerFailure(first, { ...FAILED, at: new Date("2026-01-03T00:00:00Z") });
  expect(JSON.parse(again)).toEqual({ entries: [{ ...ENTRY, last_seen_at: "2026-01-03T00:00:00Z", count: 2 }] });
  const other = registerFailure(again, { ...FAILED, failure: classifyBuildFailure("no such luck") });
  expect(JSON.parse(other).entries).toHaveLength(2);
});

test("what others wrote into the registry stays, and one that is broken is begun anew", () => {
  const others = JSON.stringify({ entries: [{ project: "other", note: 1, count: 4 }], version: 2 });
  expect(JSON.parse(registerFailure(others, FAILED))).toEqual({
    version: 2,
    entries: [{ project: "other", note: 1, count: 4 }, ENTRY],
  });
  expect(JSON.parse(registerFailure("{", FAILED))).toEqual({ entries: [ENTRY] });
});

test("a checkout of a data set of bugs is known by its folder", () => {
  const text = registerFailure(undefined, { ...FAILED, repository: "/x/bugsinpy/black/7/buggy/repo" });
  expect(JSON.parse(text).entries[0]).toMatchObject({
    dataset: "bugsinpy",
    project: "black",
    bug_id: "7",
    variant: "buggy",
  });
});

test.each([
  ["ERROR: No matching distribution found for nope==1", "invalid_requirement", false],
  ["ERROR: Could not find a version that satisfies the requirement pywin32", "platform_incompatible_dependency", false],
  ["pkg-resources==0.0.0", "invalid_requirement", false],
  ["RUN apt-get update\n#5 1.234 E: Unable to locate package x", "apt_failure", true],
  ["RUN apt-get update\nexit 7", "build_failure", true],
])("of %p the reason is %s", (output, reason, retry) => {
  expect(classifyBuildFailure(output)).toMatchObject({ failure_reason: reason, retry_on_policy_change: retry });
});
