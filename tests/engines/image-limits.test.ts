import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { peakMemory } from "../../scripts/measure.ts";
import { startFakeRegistry } from "../fakes/registry.ts";

import { cooperCommand } from "./engines.ts";

/** What mounts a full disk that nobody else sees, and that is gone with the command. */
const onSmallDisk = ["unshare", "--mount", "sh", "-c"];
const mayMount = Bun.spawnSync([...onSmallDisk, 'mount -t tmpfs -o size=1m none "$0"', tmpdir()]).exitCode === 0;
const reason = mayMount ? "" : " (skipped: needs root, to mount a small disk)";
const mebibyte = 1024 * 1024;

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "cooper-limits-"));
  mkdirSync(join(root, "disk"));
  mkdirSync(join(root, "tree"));
  mkdirSync(join(root, "empty"));
  writeLarge(join(root, "tree", "noise"), 3);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A file that does not get smaller by compression. */
function writeLarge(path: string, mebibytes: number): void {
  const noise = crypto.getRandomValues(new Uint8Array(65_536));
  const chunk = new Uint8Array(mebibyte);
  for (let offset = 0; offset < chunk.length; offset += noise.length) chunk.set(noise, offset);
  const file = openSync(path, "w");
  for (let count = 0; count < mebibytes; count++) writeSync(file, chunk);
  closeSync(file);
}

/** Runs a shell script whose `disk` holds 1 MiB; `$cooper` is the executable. Its last lines are what `find disk` shows. */
async function runOnSmallDisk(script: string) {
  const mounted = `mount -t tmpfs -o size=1m,mode=755 none disk && ${script}; code=$?; echo left; find disk | sort; exit $code`;
  const {
    command: [cooper],
    env,
  } = cooperCommand([], { home: root });
  const child = Bun.spawn([...onSmallDisk, mounted], {
    cwd: root,
    env: { ...env, cooper: cooper ?? "" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const [document = "", left = ""] = stdout.split("left\n");
  return { exitCode: await child.exited, document, left: left.trim().split("\n"), stderr };
}

describe(`a full disk${reason}`, () => {
  test.skipIf(!mayMount).each(["image.tar", "oci-archive:image.tar", "docker-archive:image.tar", "oci:image.tar"])(
    "is told by the name of the output %s, and nothing is left there",
    async (output) => {
      const where = output.replace("image.tar", "disk/image.tar");
      const { exitCode, document, left, stderr } = await runOnSmallDisk(`"$cooper" image assemble tree -o ${where}`);
      expect(exitCode).toBe(1);
      expect(JSON.parse(document)).toMatchObject({
        outcome: "error",
        message: `Could not write ${join(root, "disk", "image.tar")}: the disk is full.`,
      });
      expect(stderr).toContain("Free some space there");
      expect(left).toEqual(["disk"]);
    },
  );

  test.skipIf(!mayMount)("leaves a layout as it was, and what was in it whole", async () => {
    const script = [
      '"$cooper" image assemble empty -o oci:disk/layout >/dev/null 2>&1',
      "find disk -type f -exec sha256sum {} + | sort >before",
      '! "$cooper" image assemble tree -o oci:disk/layout >/dev/null 2>&1',
      "find disk -type f -exec sha256sum {} + | sort >after",
      "cmp before after",
      '"$cooper" image validate oci:disk/layout',
    ];
    const { exitCode, document } = await runOnSmallDisk(script.join(" && "));
    expect({ exitCode, document: JSON.parse(document) }).toMatchObject({ exitCode: 0, document: { valid: true } });
  });

  test.skipIf(!mayMount)("leaves an archive that was there as it was", async () => {
    const script = [
      '"$cooper" image assemble empty -o disk/image.tar >/dev/null 2>&1',
      "sha256sum disk/image.tar >before",
      '! "$cooper" image assemble tree -o disk/image.tar >/dev/null 2>&1',
      "sha256sum -c before >/dev/null",
    ];
    const { exitCode, left } = await runOnSmallDisk(script.join(" && "));
    expect({ exitCode, left }).toEqual({ exitCode: 0, left: ["disk", "disk/image.tar"] });
  });

  test.skipIf(!mayMount)("of the cache ends a push, and neither a tag nor a file is left", async () => {
    const registry = startFakeRegistry();
    try {
      const command = `XDG_CACHE_HOME=$PWD/disk/cache "$cooper" image assemble tree --push -t ${registry.host}/a/b:1`;
      const { exitCode, document, left } = await runOnSmallDisk(command);
      expect(exitCode).toBe(1);
      expect(JSON.parse(document).message).toMatch(
        /^Could not write .*disk\/cache\/cooper\/images\/.*: the disk is full\.$/,
      );
      expect(left.filter((path) => !/^disk(\/cache(\/cooper(\/images)?)?)?$/.test(path))).toEqual([]);
      expect(registry.digestOf("a/b", "1")).toBeUndefined();
    } finally {
      await registry.stop();
    }
  });

  test.skipIf(!mayMount).each(["image.tar", "oci:layout"])(
    "ends a pull into %s, and nothing is left",
    async (output) => {
      const place = output.replace(/(image.tar|layout)/, "disk/$1");
      const script = [
        '"$cooper" image assemble tree -o oci:whole >/dev/null 2>&1',
        `"$cooper" image copy oci:whole ${place}`,
      ];
      const { exitCode, document, left } = await runOnSmallDisk(script.join(" && "));
      rmSync(join(root, "whole"), { recursive: true });
      expect(exitCode).toBe(1);
      expect(JSON.parse(document).message).toMatch(/^Could not write .*disk\/.*: the disk is full\.$/);
      expect(left).toEqual(["disk"]);
    },
  );
});

describe("at most 150 MB of memory are used", () => {
  const measured = (...words: string[]) => {
    const {
      command: [cooper = ""],
      env,
    } = cooperCommand([], { home: root });
    return { argv: [cooper, "image", ...words] as const, cwd: root, env };
  };
  const compressions = [
    ["--compression", "gzip", "--compression-level", "1"],
    ["--compression", "zstd"],
    ["--compression", "none"],
  ];

  test.each(compressions)("for one file of 400 MB, with %s %s", async (...others) => {
    mkdirSync(join(root, "large"), { recursive: true });
    writeLarge(join(root, "large", "noise"), 400);
    expect(await peakMemory(measured("assemble", "large", "-o", "image.tar", ...others))).toBeLessThan(150e6);
    rmSync(join(root, "large"), { recursive: true });
    rmSync(join(root, "image.tar"));
  });

  test("for 30,000 files, and for reading the image back", async () => {
    for (let index = 0; index < 30_000; index++) {
      const folder = join(root, "many", String(index % 300));
      if (index < 300) mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `file-${index}`), `content ${index}\n`.repeat(index % 50));
    }
    expect(await peakMemory(measured("assemble", "many", "-o", "image.tar"))).toBeLessThan(150e6);
    expect(await peakMemory(measured("validate", "image.tar"))).toBeLessThan(150e6);
  });
});
