import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseImageTransport } from "../../src/oci/transport.ts";
import { validateImage } from "../../src/workflows/validate-image.ts";
import { startFakeRegistry } from "../fakes/registry.ts";
import { assemble, toolsIn, withFolder } from "./assemble-scene.ts";

const started: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

const large = 128 * 1024 * 1024;

/** How much is written of the archive that is being made. */
function stagedSize(folder: string): number {
  const name = readdirSync(folder).find((entry) => entry.endsWith(".partial"));
  return name === undefined ? 0 : statSync(join(folder, name)).size;
}

/** A registry whose blobs wait until `mayCome`; told is what each was asked for at. */
function startSlowRegistry(mayCome: () => boolean, onBlob: () => void) {
  const inner = startFakeRegistry();
  const outer = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (request.method === "GET" && pathname.includes("/blobs/") && wanted.has(pathname.slice(-71))) {
        onBlob();
        while (!mayCome()) await Bun.sleep(5);
      }
      return fetch(`http://${inner.host}${pathname}${search}`, { method: request.method });
    },
  });
  const wanted = new Set<string>();
  started.push(inner, { stop: () => outer.stop(true) });
  return { inner, host: `127.0.0.1:${outer.port}`, wanted };
}

function makeTree(folder: string): void {
  mkdirSync(join(folder, "below"));
  writeFileSync(join(folder, "below", "base"), "base");
  mkdirSync(join(folder, "tree"));
  writeFileSync(join(folder, "tree", "large"), "");
  truncateSync(join(folder, "tree", "large"), large);
}

test("a base's layers are asked for before the new layer is written, and arrive beside it", () =>
  withFolder(async (folder) => {
    makeTree(folder);
    const sizes: number[] = [];
    const registry = startSlowRegistry(
      () => stagedSize(folder) > large,
      () => sizes.push(stagedSize(folder)),
    );
    const base = await assemble(folder, ["below", "-o", `docker://${registry.inner.host}/team/base:1`]);
    for (const { digest } of base.layers) registry.wanted.add(digest);
    const argv = ["tree", "--base", `${registry.host}/team/base:1`, "--compression", "none", "-o", "image.tar"];
    await assemble(folder, argv);
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeLessThan(large);
    expect((await validateImage(parseImageTransport("image.tar"), toolsIn(folder))).faults).toEqual([]);
  }));

test.each(["image.tar", "oci:layout"])("a base that breaks off ends the writing of %s, and nothing is left", (output) =>
  withFolder(async (folder) => {
    makeTree(folder);
    const registry = startFakeRegistry();
    started.push(registry);
    const base = await assemble(folder, ["below", "-o", `docker://${registry.host}/team/base:1`]);
    const [layer] = base.layers;
    registry.faults.add(new RegExp(`^GET .*${layer?.digest}`), { kind: "alter" }, { times: 9 });
    const argv = ["tree", "--base", `${registry.host}/team/base:1`, "--compression", "none", "-o", output];
    await expect(assemble(folder, argv)).rejects.toThrow("Digest did not match");
    expect(
      readdirSync(folder)
        .filter((name) => name !== ".cache")
        .sort(),
    ).toEqual(["below", "tree"]);
  }),
);

test("a folder that cannot be a layer ends the reading of the base, and nothing is left", () =>
  withFolder(async (folder) => {
    makeTree(folder);
    writeFileSync(join(folder, "tree", ".wh.gone"), "");
    await assemble(folder, ["below", "-o", "oci:base"]);
    await expect(assemble(folder, ["tree", "--base", "oci:base", "-o", "image.tar"])).rejects.toThrow(".wh.gone");
    expect(readdirSync(folder).sort()).toEqual(["base", "below", "tree"]);
  }));
