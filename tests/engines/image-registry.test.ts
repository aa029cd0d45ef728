import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256Of } from "../../src/oci/digest.ts";
import { startCuttingProxy } from "../fakes/cutting-proxy.ts";
import { layoutOf } from "../fakes/image-layout.ts";
import { tarOf } from "../fakes/registry-tar.ts";
import { type CooperOptions, runCooper } from "./engines.ts";
import { basicAuth, describeRegistries } from "./registries.ts";
import { openScene } from "./workspace.ts";

const scene = openScene();
const work = scene.directory("images");

/** Content that does not compress, so that an upload takes more than a moment, and is the same in every run. */
const noise = new Uint8Array(6_000_000);
for (let offset = 0, block = sha256Of(scene.id); offset < noise.length; offset += 64, block = sha256Of(block)) {
  noise.set(new TextEncoder().encode(block.slice(7)), offset);
}
const tar = tarOf([{ path: "noise", content: noise.subarray(0, noise.length - 32) }]);
for (const [path, bytes] of layoutOf({ tar })) {
  mkdirSync(join(work, "layout", dirname(path)), { recursive: true });
  writeFileSync(join(work, "layout", path), bytes);
}

async function image(argv: readonly string[], options: CooperOptions = {}) {
  const { exitCode, stdout, stderr } = await runCooper(["image", ...argv], { cwd: work, ...options });
  return { exitCode, stderr, document: JSON.parse(stdout) };
}

/** A login file for a registry, where podman and cooper look for it. */
function loginTo(registry: string, password = "secret"): CooperOptions {
  const file = join(scene.directory("login"), "auth.json");
  writeFileSync(file, JSON.stringify({ auths: { [registry]: { auth: basicAuth("ci", password) } } }));
  return { env: { REGISTRY_AUTH_FILE: file } };
}

describeRegistries((registries) => {
  describe.each(["plain", "basic", "token"] as const)("the %s one", (kind) => {
    const registry = registries[kind];
    const options = kind === "plain" ? {} : loginTo(registry);
    const repository = `${registry}/private/${scene.id}/${kind}`;

    test("takes an image and gives it back as it was", async () => {
      const pushed = await image(["push", "oci:layout", `${repository}:1`, "--tag", `${repository}:2`], options);
      expect(pushed).toMatchObject({ exitCode: 0, document: { outcome: "success", blobs: 2, present: 0, mounted: 0 } });
      const { digest } = pushed.document;
      for (const [name, place] of [
        [`${repository}:2`, `oci:${kind}`],
        [`${repository}@${digest}`, `${kind}.tar`],
      ] as const) {
        expect((await image(["pull", name, place], options)).document).toMatchObject({ outcome: "success", digest });
        expect((await image(["validate", place])).document).toMatchObject({ valid: true, layers: 1 });
      }
      expect((await image(["validate", `${repository}:1`], options)).document).toMatchObject({
        valid: true,
        layers: 1,
      });
      expect((await image(["inspect", `${repository}:1`], options)).document).toMatchObject({ digest });
    });

    test("is asked to mount what it has elsewhere, and not sent again what it has here", async () => {
      await image(["push", "oci:layout", `${repository}/base:1`], options);
      const copied = await image(["copy", `${repository}/base:1`, `${repository}/mounted:1`], options);
      expect(copied.document).toMatchObject({ outcome: "success", mounted: 2 });
      const again = await image(["push", "oci:layout", `${repository}/base:2`], options);
      expect(again.document).toMatchObject({ outcome: "success", present: 2 });
    });

    test("tells what is not there", async () => {
      const { exitCode, document } = await image(["pull", `${repository}/never:1`, "never.tar"], options);
      expect(exitCode).toBe(1);
      expect(document.message).toContain(`${repository}/never:1`);
    });
  });

  test.each(["basic", "token"] as const)("the %s one takes nothing from strangers", async (kind) => {
    const name = `${registries[kind]}/private/${scene.id}/stranger:1`;
    for (const options of [loginTo("registry.example"), loginTo(registries[kind], "wrong")]) {
      const { exitCode, document, stderr } = await image(["push", "oci:layout", name], options);
      expect(exitCode).toBe(1);
      expect(document.message).toMatch(/answered 401/);
      expect(stderr).toContain(`docker login ${registries[kind]}`);
      expect(stderr).not.toContain("wrong");
    }
  });

  const isSkopeoDue = Bun.which("skopeo") !== null || (process.env["COOPER_REQUIRE_ENGINES"] ?? "") !== "";
  test.skipIf(!isSkopeoDue)("skopeo reads what was pushed, and what it pushed is read, byte by byte", async () => {
    const place = `${registries.plain}/private/${scene.id}/skopeo`;
    const { document } = await image(["push", "oci:layout", `${place}/ours:1`]);
    const skopeo = (...argv: string[]) => {
      const words = ["skopeo", "--insecure-policy", "copy", "--preserve-digests", ...argv];
      const { exitCode, stderr } = Bun.spawnSync(words, { cwd: work });
      expect({ exitCode, stderr: stderr.toString() }).toMatchObject({ exitCode: 0 });
    };
    skopeo("--src-tls-verify=false", `docker://${place}/ours:1`, "oci:skopeo:1");
    expect((await image(["inspect", "oci:skopeo:1"])).document.digest).toBe(document.digest);
    skopeo("--dest-tls-verify=false", "oci:skopeo:1", `docker://${place}/theirs:1`);
    expect((await image(["pull", `${place}/theirs:1`, "theirs.tar"])).document.digest).toBe(document.digest);
    expect((await image(["validate", "theirs.tar"])).document).toMatchObject({ valid: true });
  });

  describe("over connections that break", () => {
    const proxies: { stop(): void }[] = [];
    afterAll(() => proxies.forEach((proxy) => void proxy.stop()));

    test("an image arrives whole", async () => {
      const proxy = await startCuttingProxy(registries.plain);
      proxies.push(proxy);
      const name = `private/${scene.id}/broken:1`;
      proxy.cut(/^POST .*uploads/, { after: "answering" });
      proxy.cut(/^PUT .*uploads/, { after: 1_000_000 });
      proxy.cut(/^PUT .*manifests/, { after: "answering" });
      const pushed = await image(["push", "oci:layout", `${proxy.host}/${name}`]);
      expect(pushed).toMatchObject({ exitCode: 0, document: { outcome: "success" } });
      expect(proxy.pending()).toBe(0);
      proxy.cut(/^GET .*manifests/, { after: "answering" });
      proxy.cut(/^GET .*blobs/, { after: "answering" });
      const pulled = await image(["pull", `${proxy.host}/${name}`, "oci:broken"]);
      expect(pulled.document).toMatchObject({ outcome: "success", digest: pushed.document.digest });
      expect(proxy.pending()).toBe(0);
      expect((await image(["validate", `${registries.plain}/${name}`])).document).toMatchObject({ valid: true });
      expect((await image(["validate", "oci:broken"])).document).toMatchObject({ valid: true });
    });
  });
});
