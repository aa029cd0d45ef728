import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UserIdsWish } from "../../src/plan/user-ids.ts";
import { plainBuildRequest } from "../../src/workflows/build-request.ts";
import { loadConfiguration } from "../../src/workflows/load-configuration.ts";
import { prepareBuild } from "../../src/workflows/prepare-build.ts";
import { createFakeTools, createRecordingRuntime } from "../fakes/recording-runtime.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-prepare-"));
afterAll(() => rmSync(root, { recursive: true }));

const IMAGES = {
  "node:22": { id: `sha256:${"e".repeat(64)}`, user: "node" },
  "labelled:1": {
    id: `sha256:${"a".repeat(64)}`,
    labels: { "devcontainer.metadata": '[{"remoteUser":"vscode","updateRemoteUserUID":false}]' },
  },
};
const WISH: UserIdsWish = { byDefault: "on", host: { platform: "linux", uid: 501, gid: 20 } };

async function idsOf(config: object, userIds: UserIdsWish | undefined) {
  const workspaceFolder = mkdtempSync(join(root, "workspace-"));
  mkdirSync(join(workspaceFolder, ".devcontainer"));
  writeFileSync(join(workspaceFolder, ".devcontainer/devcontainer.json"), JSON.stringify(config));
  const tools = createFakeTools(createRecordingRuntime("docker", IMAGES), root);
  const place = { workspaceFolder, configPath: undefined };
  const { plan } = await prepareBuild({ ...plainBuildRequest(place), userIds }, loadConfiguration(place, tools), tools);
  return plan.steps.find((step) => step.kind === "user-ids");
}

test("the remote user's ids are planned where the request wishes it, for whoever works in the container", async () => {
  expect(await idsOf({ image: "node:22" }, WISH)).toEqual({ kind: "user-ids", user: "node", uid: 501, gid: 20 });
  expect(await idsOf({ image: "node:22", runArgs: ["-u", "dev"] }, WISH)).toMatchObject({ user: "dev" });
  expect(await idsOf({ image: "node:22", containerUser: "dev:users" }, WISH)).toMatchObject({ user: "dev" });
  expect(await idsOf({ image: "node:22", runArgs: ["-u", "dev"], remoteUser: "me" }, WISH)).toMatchObject({
    user: "me",
  });
});

test("a build that others share changes no ids", async () => {
  expect(await idsOf({ image: "node:22" }, undefined)).toBeUndefined();
});

test("the base image's metadata counts, and the configuration's more", async () => {
  expect(await idsOf({ image: "labelled:1" }, WISH)).toBeUndefined();
  expect(await idsOf({ image: "labelled:1", updateRemoteUserUID: true }, WISH)).toMatchObject({ user: "vscode" });
});
