import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { findAgentFile, keepAgentFile } from "../../src/store/agent-files.ts";
import { tarOf } from "../fakes/registry-tar.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-agents-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function* inPieces(bytes: Uint8Array) {
  for (let offset = 0; offset < bytes.length; offset += 100) yield bytes.subarray(offset, offset + 100);
}

function packageOf(files: Record<string, string>) {
  const bytes = gzipSync(tarOf(Object.entries(files).map(([path, content]) => ({ path, content }))));
  return { bytes, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` };
}

const place = (version: string) => ({ root, agent: "opencode", version, variant: "x64" });
const archiveOf = ({ bytes, integrity }: { bytes: Uint8Array; integrity: string }) => ({
  chunks: inPieces(bytes),
  integrity,
  program: "package/bin/opencode",
  what: "The package",
});

test("a program is kept whole, executable and with its digest, alone in its folder", async () => {
  const kept = await keepAgentFile(
    place("1.0.0"),
    archiveOf(packageOf({ "package/bin/opencode": "#!/bin/sh\n", "package/x": "" })),
  );
  expect(readdirSync(kept.folder)).toEqual(["opencode"]);
  expect(statSync(join(kept.folder, "opencode")).mode & 0o777).toBe(0o755);
  expect(kept).toMatchObject({
    name: "opencode",
    size: 10,
    digest: `sha256:${createHash("sha256").update("#!/bin/sh\n").digest("hex")}`,
  });
  expect(findAgentFile(place("1.0.0"))).toEqual(kept);
  expect(findAgentFile(place("1.0.1"))).toBeUndefined();
});

test.each([
  [
    "other bytes than promised",
    { ...packageOf({ "package/bin/opencode": "a" }), integrity: packageOf({ x: "" }).integrity },
    "its bytes are sha512-",
  ],
  ["no promise", { ...packageOf({ "package/bin/opencode": "a" }), integrity: "" }, "promises no sha512"],
  [
    "a weak promise alone",
    { ...packageOf({ "package/bin/opencode": "a" }), integrity: "sha1-abc" },
    "promises no sha512",
  ],
  ["no program", packageOf({ "package/../../bin/opencode": "a" }), "has no package/bin/opencode"],
])("with %s nothing is kept", async (_, bad, message) => {
  await expect(keepAgentFile(place("2.0.0"), archiveOf(bad))).rejects.toThrow(message);
  expect(findAgentFile(place("2.0.0"))).toBeUndefined();
  const home = join(root, "opencode", "2.0.0");
  expect(existsSync(home) ? readdirSync(home) : []).toEqual([]);
});

test("a download that breaks off leaves nothing, and the next one is taken", async () => {
  const good = packageOf({ "package/bin/opencode": "x".repeat(5000) });
  async function* broken() {
    yield good.bytes.subarray(0, 50);
    throw new Error("the connection was lost");
  }
  await expect(keepAgentFile(place("3.0.0"), { ...archiveOf(good), chunks: broken() })).rejects.toThrow("was lost");
  const kept = await keepAgentFile(place("3.0.0"), archiveOf(good));
  expect(readFileSync(join(kept.folder, kept.name), "utf8")).toHaveLength(5000);
});

test("a program that was cut off later is no program, and is kept anew", async () => {
  const good = packageOf({ "package/bin/opencode": "x".repeat(100) });
  const { folder, name } = await keepAgentFile(place("4.0.0"), archiveOf(good));
  writeFileSync(join(folder, name), "x");
  expect(findAgentFile(place("4.0.0"))).toBeUndefined();
  await keepAgentFile(place("4.0.0"), archiveOf(good));
  expect(statSync(join(folder, name)).size).toBe(100);
});

test("two runs at once both have the program", async () => {
  const good = packageOf({ "package/bin/opencode": "x".repeat(20_000) });
  const kept = await Promise.all([1, 2, 3].map(() => keepAgentFile(place("5.0.0"), archiveOf(good))));
  expect(new Set(kept.map(({ digest }) => digest)).size).toBe(1);
  expect(readdirSync(join(root, "opencode", "5.0.0")).toSorted()).toEqual(["x64", "x64.json"]);
});
