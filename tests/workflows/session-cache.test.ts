import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  forgetContainer,
  type RememberedContainer,
  recallByLabels,
  recallContainer,
  rememberContainer,
} from "../../src/workflows/session-cache.ts";
import { createFakeTools, createRecordingRuntime } from "../fakes/recording-runtime.ts";

const home = mkdtempSync(join(tmpdir(), "cooper-session-cache-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const tools = createFakeTools(createRecordingRuntime("docker", {}), home);
const folder = join(home, ".local", "state", "cooper", "containers");
const id = "9ab81b62eed9bd2eca5b72f281760df4924da37d736fbb7bccb0fd10e95507fc";

const remembered: RememberedContainer = {
  version: 1,
  engine: "docker",
  container: { id, name: "demo", created: "c", startedAt: "s", user: "", env: { A: "1" }, labels: { x: "y" } },
  process: null,
  accounts: { root: { uid: 0, home: "/root", shell: "/bin/bash", profilePatched: true } },
  environments: { "root loginShell": { TOKEN: "canary" } },
  markers: { "/root/.devcontainer/.onCreateCommandMarker": "c" },
};

test("what is remembered is recalled by id and by labels", () => {
  rememberContainer(remembered, { x: "y" }, tools);
  expect(recallContainer(id, tools)).toEqual(remembered);
  expect(recallByLabels({ x: "y" }, tools)).toEqual(remembered);
  expect(recallByLabels({ x: "z" }, tools)).toBeUndefined();
});

test("only the user can read it, and nothing half-written stays", () => {
  rememberContainer(remembered, { x: "y" }, tools);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  const modes = readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
  expect(modes).toEqual([0o600, 0o600]);
});

test("what is forgotten leaves nothing, and others are kept", () => {
  const other = { ...remembered, container: { ...remembered.container, id: "b".repeat(64) } };
  rememberContainer(remembered, { x: "y" }, tools);
  rememberContainer(other, { x: "other" }, tools);
  forgetContainer(id, tools);
  expect(recallByLabels({ x: "y" }, tools)).toBeUndefined();
  expect(recallByLabels({ x: "other" }, tools)).toEqual(other);
  forgetContainer(other.container.id, tools);
  expect(readdirSync(folder)).toEqual([]);
});

test("a file that is damaged, of another version or of another shape is as good as none", () => {
  for (const text of [
    "",
    "{",
    JSON.stringify({ ...remembered, version: 2 }),
    JSON.stringify({ ...remembered, accounts: 1 }),
  ]) {
    rememberContainer(remembered, { x: "y" }, tools);
    writeFileSync(join(folder, `${id}.json`), text);
    expect(recallByLabels({ x: "y" }, tools)).toBeUndefined();
  }
});

test("a damaged index leads nowhere outside the folder", () => {
  rememberContainer(remembered, { x: "y" }, tools);
  const index = readdirSync(folder).find((name) => name.startsWith("labels-")) ?? "";
  writeFileSync(join(folder, index), "../../secret");
  expect(recallByLabels({ x: "y" }, tools)).toBeUndefined();
});

test("where nothing can be written, nothing is remembered and nothing fails", () => {
  const elsewhere = createFakeTools(createRecordingRuntime("docker", {}), "/proc/nowhere");
  rememberContainer(remembered, { x: "y" }, elsewhere);
  expect(recallContainer(id, elsewhere)).toBeUndefined();
});
