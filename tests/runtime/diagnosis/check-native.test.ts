import { describe, expect, test } from "bun:test";
import { checkNative, summarizeNative } from "../../../src/runtime/diagnosis/check-native.ts";
import { diagnose } from "../../../src/runtime/diagnosis/diagnosis.ts";
import type { KernelFacts, NativeFacts, NativeTrial } from "../../../src/runtime/diagnosis/native-facts.ts";
import type { SandboxFacts } from "../../../src/runtime/judge-sandbox-means.ts";
import { healthyFacts, machineWith, unreachableDocker } from "./healthy-facts.ts";

const succeeded: NativeTrial = { kind: "succeeded", overlay: "kernel" };
const failed = (at: "overlay" | "namespaces" | "elsewhere", found = "it broke", hint = "mend it"): NativeTrial => ({
  kind: "failed",
  at,
  found,
  hint,
});
interface Changes {
  readonly sandbox?: Partial<SandboxFacts>;
  readonly kernel?: Partial<KernelFacts>;
  readonly trial?: NativeTrial;
  readonly missing?: readonly string[];
}

function facts({ sandbox, kernel, trial = succeeded, missing = [] }: Changes = {}): NativeFacts {
  return {
    sandbox: {
      platform: "linux",
      user: { name: "ada", id: 1000, groupId: 1000 },
      maySetUp: false,
      container: undefined,
      userMap: "0 0 4294967295\n",
      groupMap: "0 0 4294967295\n",
      unshare: "/usr/bin/unshare",
      newuidmap: "/usr/bin/newuidmap",
      newgidmap: "/usr/bin/newgidmap",
      fuseOverlayfs: undefined,
      subordinateUsers: "ada:100000:65536\n",
      subordinateGroups: "ada:100000:65536\n",
      ...sandbox,
    },
    unshare: { version: "2.38.1", mapsIds: true, missing },
    kernel: {
      mostNamespaces: 28633,
      unprivileged: undefined,
      apparmorRestricts: undefined,
      fuseDevice: true,
      ...kernel,
    },
    store: { disk: { path: "/home/ada/.local/share/cooper/store", free: 50e9 }, fileSystem: "ext4" },
    program: "/usr/local/bin/cooper",
    trial,
  };
}

const lines = (changes: Changes = {}, machine = machineWith()) =>
  checkNative(facts(changes), machine).map(({ status, title, detail }) => `${status} ${title}: ${detail}`);
const find = (id: string, changes: Changes, machine = machineWith()) =>
  checkNative(facts(changes), machine).find((check) => check.id === id);
const ROOT = { user: { name: "root", id: 0, groupId: 0 }, maySetUp: true };

test("a machine that has everything has a line for each thing", () => {
  expect(lines()).toEqual([
    "ok Programs: unshare of util-linux 2.38.1, newuidmap and newgidmap",
    "ok Ids: /etc/subuid and /etc/subgid have 65536 for this user",
    "ok Namespaces: user namespaces are allowed",
    "ok Overlay: the kernel mounts layers at /home/ada/.local/share/cooper/store (ext4)",
    "ok Test run: a program ran in a sandbox, and nothing of it is left",
    "ok Disk, store: 50 GB free at /home/ada/.local/share/cooper/store",
  ]);
});

test("root needs no ids of others, and no settings for ordinary users", () => {
  const sandbox = { ...ROOT, newuidmap: undefined, newgidmap: undefined, subordinateUsers: null };
  const kernel = { mostNamespaces: 0, unprivileged: false, apparmorRestricts: true };
  expect(lines({ sandbox, kernel }).slice(0, 3)).toEqual([
    "ok Programs: unshare of util-linux 2.38.1",
    "ok Ids: root: they are what they are",
    "ok Namespaces: root may make them",
  ]);
});

test.each([
  ["apt-get", "sudo apt-get install uidmap"],
  ["dnf", "sudo dnf install shadow-utils"],
  ["zypper", "sudo zypper install shadow"],
  ["pacman", "sudo pacman -S shadow"],
  ["apk", "sudo apk add shadow-uidmap"],
])("newuidmap that is absent has its package's name with %s", (manager, command) => {
  const machine = machineWith([], { programs: new Set([manager, "sudo"]) });
  const sandbox = { newuidmap: undefined, newgidmap: undefined };
  expect(find("native-programs", { sandbox, trial: { kind: "not tried" } }, machine)).toMatchObject({
    status: "problem",
    detail: "newuidmap and newgidmap are not on PATH",
    remedy: `Install them (unshare comes with util-linux, the others with uidmap or shadow):\n  ${command}`,
  });
});

test("busybox's unshare is told from util-linux's by what it cannot do", () => {
  const machine = machineWith([], { programs: new Set(["apk", "doas"]) });
  const check = find("native-programs", { missing: ["--kill-child"] }, machine);
  expect(check).toMatchObject({ status: "problem", detail: expect.stringContaining("unshare has no --kill-child") });
  expect(check?.remedy).toContain("doas apk add util-linux-misc");
});

test("subordinate ids that are absent are given, out of a range that nobody has", () => {
  const sandbox = { subordinateUsers: "bob:100000:65536\n", subordinateGroups: null };
  expect(find("native-ids", { sandbox, trial: { kind: "not tried" } })).toEqual({
    id: "native-ids",
    title: "Ids",
    status: "problem",
    detail: "/etc/subuid and /etc/subgid have no 65536 ids for ada: an image's users would have none",
    remedy: "Give them to the user:\n  sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 ada",
  });
});

describe("user namespaces", () => {
  const namespaces = (changes: Changes) => find("native-namespaces", changes);

  test("that a sysctl switches off have the setting as the remedy", () => {
    const kernel = { mostNamespaces: 0, unprivileged: false };
    expect(namespaces({ kernel, trial: failed("namespaces") })).toMatchObject({
      status: "problem",
      detail:
        "this kernel lets no ordinary user make user namespaces: user.max_user_namespaces=0 and kernel.unprivileged_userns_clone=0",
      remedy: expect.stringContaining(
        "\n  sudo sysctl -w user.max_user_namespaces=28633 kernel.unprivileged_userns_clone=1",
      ),
    });
    expect(namespaces({ kernel: { unprivileged: false } })?.remedy).not.toContain("max_user_namespaces");
  });

  test("that AppArmor keeps from programs without a profile have a profile of cooper as the remedy", () => {
    const { status, remedy = "" } =
      namespaces({ kernel: { apparmorRestricts: true }, trial: failed("namespaces") }) ?? {};
    expect(status).toBe("problem");
    expect(remedy).toContain("profile cooper /usr/local/bin/cooper flags=(unconfined)");
    expect(remedy).toContain("| sudo tee /etc/apparmor.d/cooper");
    expect(remedy).toContain("sudo apparmor_parser -r /etc/apparmor.d/cooper");
    expect(namespaces({ kernel: { apparmorRestricts: true } })?.status).toBe("ok");
  });

  test("that a container forbids are a matter of how it is started", () => {
    const sandbox = { container: "podman" } as const;
    const trial: NativeTrial = { kind: "failed", at: "namespaces", found: "mount proc: EPERM" };
    const check = namespaces({ sandbox, trial });
    expect(check).toMatchObject({ status: "problem", remedy: expect.stringContaining("unmask=ALL") });
    expect(namespaces({ sandbox, trial: failed("namespaces", "it broke", "so mend it") })?.remedy).toBe("so mend it");
    expect(find("native-run", { sandbox, trial })).toBeUndefined();
    const full = failed("elsewhere", "the disk is full");
    expect(namespaces({ sandbox, trial: full })?.status).toBe("ok");
    expect(find("native-run", { sandbox, trial: full })).toMatchObject({ detail: "the disk is full" });
  });
});

describe("layers", () => {
  test("that fuse-overlayfs mounts are in order", () => {
    expect(find("native-overlay", { trial: { kind: "succeeded", overlay: "fuse-overlayfs" } })).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("fuse-overlayfs mounts, as the kernel does not,"),
    });
  });

  test("that nothing mounts go elsewhere, or need fuse-overlayfs and its device", () => {
    const check = find("native-overlay", { kernel: { fuseDevice: false }, trial: failed("overlay", "EINVAL") });
    expect(check).toMatchObject({ status: "problem", detail: expect.stringContaining("(ext4): EINVAL") });
    expect(check?.remedy).toContain("no /dev/fuse");
    expect(check?.remedy).toContain("\n  sudo apt-get install fuse-overlayfs");
    expect(find("native-run", { trial: failed("overlay") })).toBeUndefined();
  });
});

test.each(["namespaces", "elsewhere"] as const)(
  "a trial that fails for another reason (%s) says which, with the remedy",
  (at) => {
    expect(find("native-run", { trial: failed(at, "it broke", "mend it") })).toMatchObject({
      status: "problem",
      detail: "it broke",
      remedy: "mend it",
    });
  },
);

test("elsewhere than on Linux that is all that is said, and nothing in a machine's own diagnosis", () => {
  expect(lines({ sandbox: { platform: "darwin" } })).toEqual([
    "problem Programs: cooper's own engine needs Linux, and this is darwin",
  ]);
  expect(summarizeNative(facts({ sandbox: { platform: "darwin" } }), true)).toEqual([]);
});

describe("in the diagnosis of a machine", () => {
  const noEngine = { from: "PATH", configurationError: undefined, candidates: [], others: [] } as const;
  const diagnosed = (native: NativeFacts, engines: Parameters<typeof healthyFacts>[0] = {}) =>
    diagnose(healthyFacts({ native, ...engines })).filter(({ id }) => id === "engine" || id === "native");

  test("no engine is a warning that says what is done without one and what is not, where cooper's own works", () => {
    const [engine, native] = diagnosed(facts(), { engines: noEngine });
    expect(engine).toMatchObject({ status: "warning", remedy: expect.stringContaining("apt-get install podman") });
    expect(engine?.detail).toBe(
      "neither docker nor podman is on PATH: images are built by cooper's own engine; up, running agents and Dockerfiles need docker or podman",
    );
    expect(native).toMatchObject({ status: "ok", detail: expect.stringContaining("works") });
  });

  test("a docker that does not run is no problem either, but one that was named is", () => {
    const candidates = [unreachableDocker({ kind: "not running", found: "connection refused" })];
    const statusOf = (from: "PATH" | "flag") =>
      diagnosed(facts(), { engines: { ...noEngine, from, candidates } })[0]?.status;
    expect([statusOf("PATH"), statusOf("flag")]).toEqual(["warning", "problem"]);
  });

  test("neither is a problem, and cooper's own engine says what it lacks", () => {
    const lacking = facts({ sandbox: { newuidmap: undefined }, trial: { kind: "not tried" } });
    const [engine, native] = diagnosed(lacking, { engines: noEngine });
    expect(engine?.status).toBe("problem");
    expect(native).toMatchObject({
      status: "warning",
      detail: "does not work here either: newuidmap is not on PATH",
      remedy: expect.stringContaining("cooper doctor --backend native"),
    });
  });

  test("beside an engine that answers nothing that cooper's own lacks is amiss", () => {
    const lacking = facts({ sandbox: { subordinateUsers: null }, trial: { kind: "not tried" } });
    expect(diagnosed(lacking)[1]).toMatchObject({
      status: "ok",
      detail: "not needed, and would not work here: /etc/subuid has no ids for ada",
    });
  });
});
