import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseFlags } from "../../src/cli/flags.ts";
import { imageInspect } from "../../src/cli/image-inspect.ts";
import { renderImage } from "../../src/cli/render-image.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import type { Inspection } from "../../src/workflows/inspect-image.ts";
import { goodTar, layoutOf } from "../fakes/image-layout.ts";
import { recordingTools } from "../fakes/recording-tools.ts";
import { startFakeRegistry } from "../fakes/registry.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-inspect-"));
const registry = startFakeRegistry();
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await registry.stop();
});
for (const [path, bytes] of layoutOf()) {
  mkdirSync(join(directory, "one", dirname(path)), { recursive: true });
  writeFileSync(join(directory, "one", path), bytes);
}

async function run(argv: readonly string[], { dataIsLive = false } = {}) {
  const { tools, data } = recordingTools(directory, { dataIsLive });
  const flags = parseFlags(imageInspect.flags, argv, imageInspect.positionals);
  imageInspect.check?.(flags);
  return { exitCode: await imageInspect.run(flags, tools), data: data.join("") };
}

test("where nobody looks, everything is one document", async () => {
  const { exitCode, data } = await run(["oci:one"]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(data)).toMatchObject({
    outcome: "success",
    image: "oci:one",
    platform: "linux/amd64",
    platforms: [],
    created: "2024-02-29T23:59:59.123+01:00",
    config: { Cmd: ["sh"], Labels: { a: "b" } },
    history: [{ created_by: "test" }, { created_by: "ENV", empty_layer: true }],
    layers: [
      { diffId: sha256Of(goodTar), createdBy: "test", mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" },
    ],
  });
});

test("on a terminal it is lines, or a document when that is asked for", async () => {
  expect((await run(["oci:one"], { dataIsLive: true })).data).toStartWith("oci:one\ndigest      sha256:");
  expect(JSON.parse((await run(["oci:one", "--json"], { dataIsLive: true })).data)).toMatchObject({
    outcome: "success",
  });
});

test("of an index it is the platform asked for, else the first when this machine's is not there", async () => {
  const config = { rootfs: { type: "layers", diff_ids: [sha256Of("one")] } };
  // The fake's configs have no rootfs: an index over images that this test puts there itself.
  const put = (architecture: string) => {
    const blob = registry.putBlob("acme/app", JSON.stringify({ os: "linux", architecture, ...config }));
    const configDescriptor = { ...blob, mediaType: "application/vnd.oci.image.config.v1+json" };
    const layer = { ...registry.putBlob("acme/app", "one"), mediaType: "application/vnd.oci.image.layer.v1.tar" };
    const manifest = { schemaVersion: 2, config: configDescriptor, layers: [layer] };
    return { ...registry.putManifest("acme/app", "", manifest), platform: { os: "linux", architecture } };
  };
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json" };
  registry.putManifest("acme/app", "1", { ...index, manifests: [put("s390x"), put("riscv64")] });
  const name = `${registry.host}/acme/app:1`;
  expect(JSON.parse((await run([name])).data)).toMatchObject({
    platform: "linux/s390x",
    platforms: ["linux/s390x", "linux/riscv64"],
  });
  expect(JSON.parse((await run([name, "--platform", "linux/riscv64"])).data)).toMatchObject({
    platform: "linux/riscv64",
  });
  const { exitCode, data } = await run([name, "--platform", "linux/arm64"]);
  expect(exitCode).toBe(1);
  expect(JSON.parse(data)).toMatchObject({ outcome: "error", message: expect.stringContaining("it has linux/s390x") });
});

test("another platform than a single image's is told", async () => {
  const { exitCode, data } = await run(["oci:one", "--platform", "linux/arm64"]);
  expect(exitCode).toBe(1);
  expect(JSON.parse(data)).toMatchObject({ message: "oci:one has no image for linux/arm64: it has linux/amd64." });
});

const digest = sha256Of("image");
const layer = (size: number, createdBy?: string) => ({
  digest: sha256Of(String(size)),
  diffId: undefined,
  mediaType: "a/b",
  size,
  createdBy,
});
const inspection: Inspection = {
  digest,
  manifestDigest: sha256Of("manifest"),
  mediaType: "a/b",
  platform: "linux/amd64",
  platforms: ["linux/amd64", "linux/arm64"],
  created: "2024-01-01T00:00:00Z",
  size: 31_000_000,
  config: {
    User: "1000",
    Cmd: ["sh", "-c", "a"],
    Env: ["A=1", "B=2"],
    ExposedPorts: { "80/tcp": {} },
    Labels: { who: "a\u001b[31m" },
    Volumes: null,
  },
  history: [],
  annotations: {},
  layers: [layer(30_000_000, "ADD rootfs.tar /"), layer(1_000_000, `RUN  make\t${"x".repeat(80)}`), layer(0)],
};

test("the picture is to scale, and nothing in it moves the cursor", () => {
  expect(renderImage("acme/app:1", inspection, { columns: 80 })).toBe(
    [
      "acme/app:1",
      `digest      ${digest}`,
      `manifest    ${sha256Of("manifest")}`,
      "platform    linux/amd64 (there is linux/amd64, linux/arm64)",
      "created     2024-01-01T00:00:00Z",
      "size        31.0 MB in 3 layers",
      "user        1000",
      'cmd         ["sh","-c","a"]',
      "expose      80/tcp",
      "env         A=1",
      "            B=2",
      "label       who=a [31m",
      "",
      `1 ${"█".repeat(30)}  30.0 MB  ${sha256Of("30000000").slice(7, 19)}  ADD rootfs.tar /`,
      `2 █${" ".repeat(29)}   1.0 MB  ${sha256Of("1000000").slice(7, 19)}  RUN make xxxxxxxxxxxxx…`,
      `3 ▏${" ".repeat(29)}      0 B  ${sha256Of("0").slice(7, 19)}`,
      "",
    ].join("\n"),
  );
});
