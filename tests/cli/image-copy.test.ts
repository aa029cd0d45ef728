import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CliCommand } from "../../src/cli/command.ts";
import { parseFlags } from "../../src/cli/flags.ts";
import { imageCopy } from "../../src/cli/image-copy.ts";
import { imagePull } from "../../src/cli/image-pull.ts";
import { imagePush } from "../../src/cli/image-push.ts";
import { layoutOf } from "../fakes/image-layout.ts";
import { recordingTools } from "../fakes/recording-tools.ts";
import { startFakeRegistry } from "../fakes/registry.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-copy-cli-"));
const registry = startFakeRegistry();
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await registry.stop();
});
for (const [path, bytes] of layoutOf()) {
  mkdirSync(join(directory, "one", dirname(path)), { recursive: true });
  writeFileSync(join(directory, "one", path), bytes);
}

async function run(command: CliCommand, ...argv: string[]) {
  const { tools, data, messages } = recordingTools(directory);
  const flags = parseFlags(command.flags, argv, command.positionals);
  command.check?.(flags);
  const exitCode = await command.run(flags, tools);
  return { exitCode, document: JSON.parse(data.join("")), messages: messages.join("") };
}

test("push, pull and copy print what they copied", async () => {
  const name = `${registry.host}/acme/app:1`;
  const pushed = await run(imagePush, "oci:one", name, "--tag", `${registry.host}/acme/app:2`);
  expect(pushed.exitCode).toBe(0);
  expect(pushed.document).toEqual({
    outcome: "success",
    digest: registry.digestOf("acme/app", "1"),
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    size: expect.any(Number),
    blobs: 2,
    present: 0,
    mounted: 0,
    platforms: [],
  });
  expect(pushed.messages).toBe(`${name}: ${pushed.document.digest}, 974 B\n`);
  const { digest } = pushed.document;
  expect((await run(imagePull, name, "pulled.tar", "--platform", "linux/amd64")).document).toMatchObject({ digest });
  const copied = await run(imageCopy, "pulled.tar", `docker://${registry.host}/acme/app:3`);
  expect(copied.document).toMatchObject({ digest, present: 2 });
  expect(copied.messages).toEndWith(", 2 of 2 blobs were there already\n");
});

test("push goes to registries and pull reads from them", async () => {
  const pushed = await run(imagePush, "oci:one", "oci:two");
  expect(pushed).toMatchObject({ exitCode: 1, document: { outcome: "error" } });
  expect(pushed.messages).toBe(
    'error: "oci:two" is no name in a registry, which is where push goes.\nTo copy it there: cooper image copy oci:one oci:two\n',
  );
  const pulled = await run(imagePull, "oci:one", "oci:two");
  expect(pulled.messages).toContain("To copy it from there: cooper image copy oci:one oci:two");
});

test.each([
  ["a bad reference", ["oci:one", "acme/app:-"], "Invalid image reference"],
  ["a source that is not there", ["oci:gone", "oci:new"], "gone to read an image from."],
  ["nothing to write to", ["oci:one", "scratch"], "Nothing can be written to scratch"],
  ["another platform", ["oci:one", "oci:new", "--platform", "linux/arm64"], "it has linux/amd64"],
])("%s is told", async (_, argv, expected) => {
  const { exitCode, document } = await run(imageCopy, ...argv);
  expect(exitCode).toBe(1);
  expect(document).toMatchObject({ outcome: "error", message: expect.stringContaining(expected) });
});

test("one word is not enough", async () => {
  await expect(run(imageCopy, "oci:one")).rejects.toThrow("wanted an image and where it goes");
});

test("a mirror is read from where it is asked for", async () => {
  const mirror = startFakeRegistry();
  try {
    const { exitCode } = await run(imagePush, "oci:one", `${mirror.host}/acme/mirrored:1`);
    expect(exitCode).toBe(0);
    const name = `${registry.host}/acme/mirrored:1`;
    const pulled = await run(imagePull, name, "oci:mirrored", "--mirror", `${registry.host}=${mirror.host}`);
    expect(pulled.document).toMatchObject({ outcome: "success", digest: mirror.digestOf("acme/mirrored", "1") });
    const wrong = await run(imagePull, name, "oci:never", "--plain-http", "http://x");
    expect(wrong.document).toMatchObject({ message: expect.stringContaining('"http://x" cannot be understood') });
  } finally {
    await mirror.stop();
  }
});
