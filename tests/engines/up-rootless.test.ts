import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { BASE_IMAGE } from "./engines.ts";
import { openRootlessPodman, type RootlessPodman } from "./rootless-podman.ts";
import { readOutcome } from "./up-scene.ts";
import { devcontainerJson, type Files, writeFiles } from "./workspace.ts";

const rootless = await openRootlessPodman();
const skipped = "reason" in rootless ? ` (skipped: ${rootless.reason})` : "";

describe.skipIf(skipped !== "")(`dev containers of a rootless podman${skipped}`, () => {
  // Without the kernel's overlay every layer of an image is a copy of all below it.
  setDefaultTimeout(120_000);
  if ("reason" in rootless) test("dev containers", () => undefined);
  else tests(rootless);
});

function tests({ folder: home, podman, cooper: run, give, user }: RootlessPodman) {
  const folders: string[] = [];
  const cooper = (command: string, folder: string, args: readonly string[] = []) =>
    run([command, "--workspace-folder", folder, ...args], { cwd: home });

  function project(config: object, files: Files = {}): string {
    const folder = join(home, `rootless-${process.pid}-${folders.length}`);
    folders.push(folder);
    writeFiles(folder, { ...devcontainerJson(config), ...files });
    give(folder);
    return folder;
  }

  afterAll(async () => {
    for (const folder of folders) await cooper("down", folder);
    await podman(["rmi", "--all", "--force"]);
  });

  test("a user who is not root in the container works with the caller's ids, in a home of their own", async () => {
    const folder = project(
      { build: { dockerfile: "Dockerfile" }, remoteUser: "dev", postCreateCommand: "touch made ~/made" },
      { ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRUN useradd -m -u 1234 dev\n` },
    );
    const up = await cooper("up", folder);
    expect(readOutcome(up)).toMatchObject({ outcome: "success", remoteUser: "dev" });
    const { uid, gid } = statSync(join(folder, "made"));
    expect({ uid, gid }).toEqual({ uid: user.uid, gid: user.gid });
    const exec = await cooper("exec", folder, ["sh", "-c", "id -un; stat -c %U ~ ~/made made"]);
    expect(exec.stdout).toBe("dev\ndev\ndev\ndev\n");
    expect((await cooper("down", folder)).exitCode).toBe(0);
  });

  test("root in the container is the caller outside", async () => {
    const folder = project({ image: BASE_IMAGE, postCreateCommand: "id -u >made" });
    expect(readOutcome(await cooper("up", folder))).toMatchObject({ outcome: "success", remoteUser: "root" });
    expect(readFileSync(join(folder, "made"), "utf8")).toBe("0\n");
    expect(statSync(join(folder, "made")).uid).toBe(user.uid);
  });
}
