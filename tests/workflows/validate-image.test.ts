import { afterAll, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseFlags } from "../../src/cli/flags.ts";
import { imageValidate } from "../../src/cli/image-validate.ts";
import { parseImageTransport } from "../../src/oci/transport.ts";
import { validateImage } from "../../src/workflows/validate-image.ts";
import { type LayoutFiles, layoutOf } from "../fakes/image-layout.ts";
import { recordingTools } from "../fakes/recording-tools.ts";
import { startFakeRegistry } from "../fakes/registry.ts";
import { tarOf } from "../fakes/registry-tar.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-validate-"));
const registry = startFakeRegistry();
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await registry.stop();
});

const { tools } = recordingTools(directory);
const validate = (image: string) => validateImage(parseImageTransport(image), tools);
const kindsOf = async (image: string) => (await validate(image)).faults.map(({ kind }) => kind);

function writeLayout(name: string, files: LayoutFiles): void {
  for (const [path, bytes] of files) {
    mkdirSync(join(directory, name, dirname(path)), { recursive: true });
    writeFileSync(join(directory, name, path), bytes);
  }
}

function writeArchive(name: string, files: LayoutFiles): string {
  const path = join(directory, name);
  writeFileSync(path, tarOf([...files].map(([member, content]) => ({ path: member, content }))));
  return path;
}

test("a layout and an archive of it are in order", async () => {
  writeLayout("good", layoutOf());
  writeArchive("good.tar", layoutOf());
  for (const image of ["oci:good", "oci-archive:good.tar", "good.tar"]) {
    expect(await validate(image)).toEqual({ faults: [], manifests: 1, layers: 1 });
  }
});

test("an archive is checked to its last byte", async () => {
  appendFileSync(writeArchive("trailing.tar", layoutOf()), "x");
  expect(await kindsOf("trailing.tar")).toEqual(["archive"]);
  truncateSync(writeArchive("cut.tar", layoutOf()), 2000);
  expect(await kindsOf("cut.tar")).toContain("archive");
  writeFileSync(join(directory, "none.tar"), "this is not a tar".repeat(100));
  expect(await kindsOf("none.tar")).toEqual(["archive"]);
});

test("an archive that docker loads too is checked both ways", async () => {
  const files = layoutOf();
  const bogus = [{ Config: "gone.json", Layers: [] }];
  files.set("manifest.json", new TextEncoder().encode(JSON.stringify(bogus)));
  writeArchive("both.tar", files);
  expect(await validate("both.tar")).toMatchObject({ faults: [{ kind: "missing", place: "gone.json" }] });
  writeArchive("neither.tar", new Map([["readme", new Uint8Array()]]));
  expect(await kindsOf("neither.tar")).toEqual(["missing", "missing"]);
});

test("an image in a registry is checked there", async () => {
  const stored = registry.putImage("acme/app", "1");
  const { faults } = await validate(`${registry.host}/acme/app:1`);
  // The fake's images have a config without rootfs.
  expect(faults).toEqual([{ kind: "field", place: `config ${stored.config.digest}`, problem: expect.any(String) }]);
  registry.faults.add(/blobs\/sha256/, { kind: "alter" }, { times: 2 });
  expect(await kindsOf(`docker://${registry.host}/acme/app:1`)).toEqual(["unreadable", "unreadable"]);
  registry.faults.add(/blobs\/sha256/, { kind: "status", status: 404 }, { times: 2 });
  expect(await kindsOf(`${registry.host}/acme/app:1`)).toContain("missing");
});

test("what is not there at all is no fault of an image", async () => {
  await expect(validate("gone.tar")).rejects.toThrow("Could not read the archive");
  await expect(validate(`${registry.host}/acme/gone:1`)).rejects.toThrow("Could not find the manifest");
  await expect(validate("scratch")).rejects.toThrow("the empty image");
});

test("the command prints one document and every fault, and fails", async () => {
  writeLayout("bad", layoutOf({ config: { history: [{}, {}] }, entry: { size: 1 } }));
  const run = async (image: string, live = false) => {
    const recorded = recordingTools(directory, { dataIsLive: live });
    const flags = parseFlags(imageValidate.flags, [image], imageValidate.positionals);
    const exitCode = await imageValidate.run(flags, recorded.tools);
    return { exitCode, data: recorded.data.join(""), messages: recorded.messages.join("") };
  };
  const good = await run("oci:good");
  expect(good.exitCode).toBe(0);
  expect(JSON.parse(good.data)).toEqual({
    outcome: "success",
    image: "oci:good",
    valid: true,
    manifests: 1,
    layers: 1,
    faults: [],
  });
  const bad = await run("oci:bad");
  expect(bad.exitCode).toBe(1);
  expect(JSON.parse(bad.data)).toMatchObject({
    outcome: "error",
    message: "oci:bad has 2 faults.",
    valid: false,
    faults: [{ kind: "size" }, { kind: "history-count" }],
  });
  expect(bad.messages).toContain("error: history-count: config sha256:");
  const live = await run("oci:bad", true);
  expect(live.data).toMatch(/^size +manifest sha256:.*\nhistory-count +config .*\noci:bad has 2 faults\.\n$/);
  const gone = await run("gone.tar");
  expect(gone.exitCode).toBe(1);
  expect(JSON.parse(gone.data)).toMatchObject({ outcome: "error", message: expect.stringContaining("gone.tar") });
});
