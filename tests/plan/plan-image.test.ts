import { expect, test } from "bun:test";
import { hashPlan } from "../../src/plan/plan-hash.ts";
import { type ImagePlanInput, planImage } from "../../src/plan/plan-image.ts";

const INPUT: ImagePlanInput = {
  source: { kind: "image", base: { reference: "debian", digest: "sha256:aa", platform: "linux/amd64" } },
  platforms: [],
  users: { image: "dev", container: "dev", remote: "dev" },
  features: [{ userId: "./a", folder: "a_0", digest: "sha256:bb", manifest: { id: "a" }, options: [], warnings: [] }],
  metadata: [{ remoteUser: "dev" }],
  containerEnv: { A: "1" },
  labels: { l: "1" },
};

test("the remote user's ids change after the Features, which may have made the user", () => {
  const plan = planImage({ ...INPUT, userIds: { user: "dev", uid: 501, gid: 502 } });
  expect(plan.steps.map((step) => step.kind)).toEqual(["feature", "user-ids", "env", "metadata", "label"]);
  expect(plan.steps[1]).toEqual({ kind: "user-ids", user: "dev", uid: 501, gid: 502 });
});

test("a plan without ids to change is the plan that it was before there were any", () => {
  expect(hashPlan(planImage({ ...INPUT, userIds: undefined }))).toBe(hashPlan(planImage(INPUT)));
});

test("other ids are another image", () => {
  const hashes = [501, 502].map((uid) => hashPlan(planImage({ ...INPUT, userIds: { user: "dev", uid, gid: 20 } })));
  expect(new Set(hashes).size).toBe(2);
});
