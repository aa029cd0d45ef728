import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptOverrideFiles, removeOverrideFiles, writeOverrideFile } from "../../src/workflows/override-files.ts";
import { createFakeTools, createRecordingRuntime } from "../fakes/recording-runtime.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-override-"));
afterAll(() => rmSync(root, { recursive: true }));
const tools = createFakeTools(createRecordingRuntime("docker", {}), join(root, "home"));
const made = (...files: string[]) => ({ labels: { "com.docker.compose.project.config_files": files.join(",") } });

function file(folder: string, name: string): string {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, name), "{}\n");
  return join(root, folder, name);
}

test("a file is written under a name of its own, for nobody else to read", async () => {
  const first = await writeOverrideFile("{}\n", join(root, "data"), tools);
  const second = await writeOverrideFile("{}\n", join(root, "data"), tools);
  expect(first).not.toBe(second);
  expect(readdirSync(join(root, "data", "docker-compose"))).toHaveLength(2);
  expect(readFileSync(first, "utf8")).toBe("{}\n");
  expect(statSync(first).mode & 0o777).toBe(0o600);
});

test("the files that a container was made with are kept while all of them are there", () => {
  const build = file("a/docker-compose", "docker-compose.devcontainer.build-1.yml");
  const container = file("a/docker-compose", "docker-compose.devcontainer.containerFeatures-1-x.yml");
  expect(keptOverrideFiles(made("/w/compose.yml", container))).toEqual([container]);
  expect(keptOverrideFiles(made("/w/compose.yml", container, build))).toEqual([build, container]);
  expect(keptOverrideFiles(made("/w/compose.yml", build))).toBeUndefined();
  expect(keptOverrideFiles(made("/w/compose.yml"))).toBeUndefined();
  expect(keptOverrideFiles({ labels: {} })).toBeUndefined();
  rmSync(build);
  expect(keptOverrideFiles(made(container, build))).toBeUndefined();
});

test("only what was written here is removed, whatever a container's label says", async () => {
  const own = await writeOverrideFile("{}\n", join(root, "data"), tools);
  const elsewhere = file("b/docker-compose", "docker-compose.devcontainer.containerFeatures-2.yml");
  const other = file("data/docker-compose", "compose.yml");
  await removeOverrideFiles([made(other, own), made(elsewhere), made(own)], join(root, "data"), tools);
  expect([own, elsewhere, other].map((path) => existsSync(path))).toEqual([false, true, true]);
});
