import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../src/json.ts";
import { readContainerMetadata } from "../../src/workflows/container-metadata.ts";
import { loadConfiguration } from "../../src/workflows/load-configuration.ts";
import { createFakeTools, createRecordingRuntime } from "../fakes/recording-runtime.ts";

const tools = createFakeTools(createRecordingRuntime("docker", {}), "/home/user");
const idLabels = { "devcontainer.local_folder": "/w" };

function configurationOf(config: JsonObject) {
  const folder = mkdtempSync(join(tmpdir(), "cooper-metadata-"));
  try {
    writeFileSync(join(folder, ".devcontainer.json"), JSON.stringify(config));
    return loadConfiguration({ workspaceFolder: folder, configPath: undefined }, tools);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const configuration = configurationOf({
  image: "debian",
  workspaceFolder: "/w",
  remoteUser: "now",
  remoteEnv: {
    BOTH: "now",
    PLACE: "${containerWorkspaceFolder}",
    FROM: "${containerEnv:ORIGIN}",
    ID: "${devcontainerId}",
  },
  containerUser: "now",
  postCreateCommand: "now",
});
const label = JSON.stringify([
  { id: "feature:1", postCreateCommand: "echo ${containerWorkspaceFolder}" },
  { remoteUser: "then", containerUser: "then", remoteEnv: { BOTH: "then", OLD: "then" }, postCreateCommand: "then" },
]);

const read = (labels: Record<string, string>, sources: Partial<Parameters<typeof readContainerMetadata>[1]> = {}) =>
  readContainerMetadata({ labels, env: { ORIGIN: "image" } }, { configuration, idLabels, ...sources }, tools).merged;

test("of a container made for the workspace, only what may change is the current configuration's", () => {
  const merged = read({ ...idLabels, "devcontainer.metadata": label });
  expect(merged.remoteUser).toBe("now");
  expect(merged.containerUser).toBe("then");
  expect(merged.remoteEnv).toMatchObject({ BOTH: "now", OLD: "then" });
  expect(merged.postCreateCommands).toEqual(["echo /w", "then"]);
});

test("of a container made otherwise, all of the current configuration counts beside its label", () => {
  const merged = read({ "devcontainer.metadata": label });
  expect(merged.containerUser).toBe("now");
  expect(merged.postCreateCommands).toEqual(["echo /w", "then", "now"]);
  expect(read({ "devcontainer.metadata": label }, { idLabels: {} }).containerUser).toBe("now");
});

test("without a label there are the Features that were resolved and the configuration", () => {
  const merged = read(idLabels, { featureEntries: [{ id: "feature:1", postCreateCommand: "feature" }] });
  expect(merged.postCreateCommands).toEqual(["feature", "now"]);
});

test("variables of workspace, container and identity are replaced, in the label too", () => {
  const { remoteEnv } = read({ ...idLabels, "devcontainer.metadata": label });
  expect(remoteEnv["PLACE"]).toBe("/w");
  expect(remoteEnv["FROM"]).toBe("image");
  expect(remoteEnv["ID"]).toMatch(/^[0-9a-v]{52}$/);
});

test("without a configuration the label is all there is", () => {
  const merged = read({ "devcontainer.metadata": label }, { configuration: undefined, idLabels: {} });
  expect(merged.remoteUser).toBe("then");
  expect(merged.postCreateCommands).toEqual(["echo ${containerWorkspaceFolder}", "then"]);
});

test("a label that cannot be read is left aside", () => {
  expect(read({ ...idLabels, "devcontainer.metadata": "{" }).remoteUser).toBe("now");
});
