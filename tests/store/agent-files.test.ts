import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { findAgentFiles, hasAgentFiles, keepAgentFiles } from "../../src/store/agent-files.ts";
import { sweepStaged } from "../../src/store/sweep-staged.ts";
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

const program = {
  name: "opencode",
  from: ["package/bin/opencode", "package/opencode"],
  to: "/usr/local/bin/opencode",
  mode: 0o755,
  required: true,
};
const beside = { name: "rg", from: ["package/rg"], to: "/usr/local/path/rg", mode: 0o644, required: false };
const place = (version: string, wanted = [program]) => ({ root, agent: "opencode", version, variant: "x64", wanted });
const archiveOf = ({ bytes, integrity }: { bytes: Uint8Array; integrity: string }) => ({
  chunks: inPieces(bytes),
  integrity,
  what: "The package",
});

test("a program is kept whole, executable and with its digest, alone in its folder", async () => {
  const kept = await keepAgentFiles(
    place("1.0.0"),
    archiveOf(packageOf({ "package/bin/opencode": "#!/bin/sh\n", "package/x": "" })),
  );
  expect(readdirSync(kept.folder)).toEqual(["opencode"]);
  expect(statSync(join(kept.folder, "opencode")).mode & 0o777).toBe(0o755);
  const digest = `sha256:${createHash("sha256").update("#!/bin/sh\n").digest("hex")}`;
  expect(kept.files).toEqual([{ name: "opencode", size: 10, digest }]);
  expect(await findAgentFiles(place("1.0.0"))).toEqual(kept);
  expect(await findAgentFiles(place("1.0.1"))).toBeUndefined();
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
  await expect(keepAgentFiles(place("2.0.0"), archiveOf(bad))).rejects.toThrow(message);
  expect(await findAgentFiles(place("2.0.0"))).toBeUndefined();
  const home = join(root, "opencode", "2.0.0");
  expect(existsSync(home) ? readdirSync(home) : []).toEqual([]);
});

test("a download that breaks off leaves nothing, and the next one is taken", async () => {
  const good = packageOf({ "package/bin/opencode": "x".repeat(5000) });
  async function* broken() {
    yield good.bytes.subarray(0, 50);
    throw new Error("the connection was lost");
  }
  await expect(keepAgentFiles(place("3.0.0"), { ...archiveOf(good), chunks: broken() })).rejects.toThrow("was lost");
  const kept = await keepAgentFiles(place("3.0.0"), archiveOf(good));
  expect(readFileSync(join(kept.folder, "opencode"), "utf8")).toHaveLength(5000);
});

test("a program that was cut off later is no program, and is kept anew", async () => {
  const good = packageOf({ "package/bin/opencode": "x".repeat(100) });
  const { folder } = await keepAgentFiles(place("4.0.0"), archiveOf(good));
  writeFileSync(join(folder, "opencode"), "x");
  expect(hasAgentFiles(place("4.0.0"))).toBe(false);
  expect(await findAgentFiles(place("4.0.0"))).toBeUndefined();
  await keepAgentFiles(place("4.0.0"), archiveOf(good));
  expect(statSync(join(folder, "opencode")).size).toBe(100);
});

test("two runs at once both have the program", async () => {
  const good = packageOf({ "package/bin/opencode": "x".repeat(20_000) });
  const kept = await Promise.all([1, 2, 3].map(() => keepAgentFiles(place("5.0.0"), archiveOf(good))));
  expect(new Set(kept.map(({ files }) => files[0]?.digest)).size).toBe(1);
  expect(readdirSync(join(root, "opencode", "5.0.0")).toSorted()).toEqual(["x64", "x64.json"]);
});

test("a program of the right size with other bytes is no program, and is kept anew", async () => {
  const good = packageOf({ "package/bin/opencode": "x".repeat(100) });
  const { folder } = await keepAgentFiles(place("6.0.0"), archiveOf(good));
  writeFileSync(join(folder, "opencode"), "y".repeat(100));
  expect(await findAgentFiles(place("6.0.0"))).toBeUndefined();
  await keepAgentFiles(place("6.0.0"), archiveOf(good));
  expect(readFileSync(join(folder, "opencode"), "utf8")).toBe("x".repeat(100));
});

test("a program that was copied or touched is compared once, and its bytes are not read again after that", async () => {
  const { folder } = await keepAgentFiles(place("7.0.0"), archiveOf(packageOf({ "package/bin/opencode": "same" })));
  const path = join(folder, "opencode");
  const facts = () => readFileSync(join(root, "opencode", "7.0.0", "x64.json"), "utf8");
  const before = facts();
  expect(await findAgentFiles(place("7.0.0"))).toBeDefined();
  expect(facts()).toBe(before);
  rmSync(path);
  writeFileSync(path, "same", { mode: 0o755 });
  utimesSync(path, 1_000_000, 1_000_000);
  expect(await findAgentFiles(place("7.0.0"))).toBeDefined();
  expect(facts()).not.toBe(before);
  // While file and time are those that were compared, nobody looks.
  writeFileSync(path, "lies");
  utimesSync(path, 1_000_000, 1_000_000);
  expect(await findAgentFiles(place("7.0.0"))).toBeDefined();
  utimesSync(path, 1_000_001, 1_000_001);
  expect(await findAgentFiles(place("7.0.0"))).toBeUndefined();
});

test("what a program needs beside it is kept with its mode where the package has it, from the first place that there is", async () => {
  const wanted = [program, beside];
  const newer = packageOf({
    "package/opencode": "old place",
    "package/bin/opencode": "program",
    "package/rg": "search",
  });
  const kept = await keepAgentFiles(place("8.0.0", wanted), archiveOf(newer));
  expect(kept.files.map(({ name }) => name)).toEqual(["opencode", "rg"]);
  expect(readFileSync(join(kept.folder, "opencode"), "utf8")).toBe("program");
  expect(statSync(join(kept.folder, "rg")).mode & 0o777).toBe(0o644);
  const older = await keepAgentFiles(place("8.0.1", wanted), archiveOf(packageOf({ "package/opencode": "old place" })));
  expect(readdirSync(older.folder)).toEqual(["opencode"]);
  expect(await findAgentFiles(place("8.0.1", wanted))).toEqual(older);
  // Another cooper looks for more.
  expect(await findAgentFiles(place("8.0.1"))).toBeUndefined();
});

test("links of a package lead to no program", async () => {
  const bytes = gzipSync(tarOf([{ path: "package/bin/opencode", type: "2", target: "/etc/passwd" }]));
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  await expect(keepAgentFiles(place("9.0.0"), archiveOf({ bytes, integrity }))).rejects.toThrow(
    "has no package/bin/opencode",
  );
});

test("what killed downloads left is swept once it is old, and nothing else", () => {
  const folder = join(root, "codex", "1.0.0");
  const now = Date.now();
  const make = (name: string, age: number) => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "archive.tgz"), "part");
    for (const path of [join(folder, name, "archive.tgz"), join(folder, name)])
      utimesSync(path, (now - age) / 1000, (now - age) / 1000);
  };
  const hour = 60 * 60 * 1000;
  make(".x64.a.partial", 2 * hour);
  make(".x64.b.partial", hour / 2);
  make("x64", 48 * hour);
  writeFileSync(join(folder, ".x64.json.c.partial"), "{");
  utimesSync(join(folder, ".x64.json.c.partial"), 0, 0);
  sweepStaged(root, now);
  expect(readdirSync(folder).toSorted()).toEqual([".x64.b.partial", "x64"]);
  sweepStaged(join(root, "nowhere"), now);
});
