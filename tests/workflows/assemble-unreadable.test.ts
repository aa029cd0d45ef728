import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withFolder } from "./assemble-scene.ts";

const main = join(import.meta.dir, "..", "..", "src", "main.ts");
const isRoot = process.getuid?.() === 0;
/** Root reads everything. */
const asNobody = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
const mayRun = Bun.spawnSync([...asNobody, process.execPath, main, "--version"]).exitCode === 0;
const reason = mayRun ? "" : " (skipped: no other user may run it)";

for (const [what, mode] of [
  ["file", 0o000],
  ["folder", 0o000],
  ["folder", 0o444],
] as const) {
  for (const output of ["image.tar", "oci:layout", "docker-archive:image.tar"]) {
    const name = `a ${what} of mode ${mode.toString(8)} ends ${output} with its name, and nothing is left${reason}`;
    test.skipIf(!mayRun)(name, () =>
      withFolder((folder) => {
        mkdirSync(join(folder, "tree", "b"), { recursive: true });
        mkdirSync(join(folder, "out"));
        writeFileSync(join(folder, "tree", "a"), "x".repeat(3_000_000));
        writeFileSync(join(folder, "tree", "b", "secret"), "secret");
        for (const path of ["", "tree", "out"]) chmodSync(join(folder, path), 0o777);
        const refused = what === "file" ? join(folder, "tree", "b", "secret") : join(folder, "tree", "b");
        chmodSync(refused, mode);
        const words = ["image", "assemble", join(folder, "tree"), "--output", output];
        const { exitCode, stdout, stderr } = Bun.spawnSync([...asNobody, process.execPath, main, ...words], {
          cwd: join(folder, "out"),
          env: { PATH: process.env["PATH"], HOME: folder, BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
        });
        chmodSync(refused, 0o755);
        expect(exitCode).toBe(1);
        expect(JSON.parse(stdout.toString())).toMatchObject({
          outcome: "error",
          message: expect.stringContaining(`Could not read ${refused}`),
        });
        expect(stderr.toString()).toContain(refused);
        expect(readdirSync(join(folder, "out"))).toEqual([]);
      }),
    );
  }
}
