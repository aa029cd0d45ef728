import { expect, test } from "bun:test";
import { readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describeNative, type NativeEngine } from "./native.ts";

interface Found {
  readonly id: string;
  readonly status: string;
  readonly detail: string;
  readonly remedy?: string;
}

async function examine(native: NativeEngine, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  // Root's logins are not this user's to read.
  const own = { DOCKER_CONFIG: "", REGISTRY_AUTH_FILE: "" };
  const { stdout, exitCode } = await native.run(["doctor", "--json", ...args], { env: { ...own, ...env } });
  const { checks, ok }: { checks: readonly Found[]; ok: boolean } = JSON.parse(stdout);
  return { exitCode, ok, find: (id: string) => checks.find((check) => check.id === id) };
}

const NEEDED = ["unshare", "newuidmap", "newgidmap", "setpriv", "sh", "mktemp", "mkfifo", "rm", "apt-get"];

/** A PATH of what cooper's own engine needs, less some of it. */
function pathWithout(native: NativeEngine, ...left: readonly string[]): string {
  const folder = native.directory("bin");
  for (const name of NEEDED) {
    const program = Bun.which(name);
    if (program !== null && !left.includes(name)) symlinkSync(program, join(folder, name));
  }
  return folder;
}

describeNative((native) => {
  test("doctor --backend native finds all that is needed, runs a program, and leaves nothing of it", async () => {
    const { find, ok, exitCode } = await examine(native, ["--backend", "native"]);
    expect([ok, exitCode]).toEqual([true, 0]);
    expect(find("native-programs")).toMatchObject({ status: "ok", detail: expect.stringContaining("unshare") });
    expect(find("native-overlay")?.detail).toContain(native.store);
    expect(find("native-run")).toMatchObject({ status: "ok", detail: expect.stringContaining("ran in a sandbox") });
    expect(find("engine")).toBeUndefined();
    expect(readdirSync(join(native.store, "work"))).toEqual([]);
  });

  test("without docker and podman, doctor warns and says that builds do without them", async () => {
    const PATH = pathWithout(native);
    const { find, exitCode } = await examine(native, [], { PATH, COOPER_DOCKER_PATH: "", DOCKER_HOST: "" });
    expect(exitCode).toBe(0);
    expect(find("engine")).toMatchObject({ status: "warning", detail: expect.stringContaining("cooper's own engine") });
    expect(find("native")).toMatchObject({ status: "ok", detail: expect.stringContaining("works") });
  });

  test("--backend engine says nothing of cooper's own engine", async () => {
    const PATH = pathWithout(native);
    const { find, exitCode } = await examine(native, ["--backend", "engine"], { PATH, COOPER_DOCKER_PATH: "" });
    expect(exitCode).toBe(1);
    expect([find("engine")?.status, find("native")]).toEqual(["problem", undefined]);
  });

  test("an unshare that is not there is told with the package that has it, and nothing is tried", async () => {
    const PATH = pathWithout(native, "unshare");
    const { find, exitCode } = await examine(native, ["--backend", "native"], { PATH });
    expect(exitCode).toBe(1);
    expect(find("native-programs")).toMatchObject({ status: "problem", detail: "unshare is not on PATH" });
    expect(find("native-programs")?.remedy).toContain("util-linux");
    expect(find("native-run")).toBeUndefined();
  });

  test("a store that cannot be made is a problem, and says where", async () => {
    const { find, exitCode } = await examine(native, ["--backend", "native"], { XDG_DATA_HOME: "/proc/self" });
    expect(exitCode).toBe(1);
    expect(find("native-run")).toMatchObject({ status: "problem", detail: expect.stringContaining("/proc/self") });
  });
});

describeNative(
  (native) => {
    test("an ordinary user without newuidmap is told the package, as whom steps then lack ids", async () => {
      const PATH = pathWithout(native, "newuidmap", "newgidmap");
      const { find, exitCode } = await examine(native, ["--backend", "native"], { PATH });
      expect(exitCode).toBe(1);
      expect(find("native-programs")?.detail).toBe("newuidmap and newgidmap are not on PATH");
    });
  },
  ["ordinary user"],
);
