import { expect, test } from "bun:test";
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemCallFilter } from "../../src/runtime/system-call-filter.ts";
import { BASE_IMAGE, type CooperResult } from "../engines/engines.ts";
import { describeNative, type IdentityName, type NativeRun } from "../engines/native.ts";
import { leftoverWork } from "../engines/native-image.ts";
import { devcontainerJson, imageOf, localFeature, readOutcome } from "../engines/workspace.ts";

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? "" : " (skipped: only root can make such a machine)";

/** Waits until a process is in a user namespace of its own, and gives it all ids. */
async function mapAllIds(pid: number): Promise<void> {
  const here = readlinkSync("/proc/self/ns/user");
  while (readlinkSync(`/proc/${pid}/ns/user`) === here) await Bun.sleep(5);
  for (const map of ["uid_map", "gid_map"]) writeFileSync(`/proc/${pid}/${map}`, "0 0 4294967295\n");
}

/** Runs a command where no further namespaces of a kind may be made, as sysctl user.max_KIND_namespaces=0 has it. */
async function withoutNamespaces(
  kind: "user" | "mnt",
  run: { command: string[]; cwd: string; env: NodeJS.Dict<string> },
): Promise<CooperResult> {
  // Who gets an id of 0 by the map has the rights of it from the next program on.
  const limiting = `echo 0 >/proc/sys/user/max_${kind}_namespaces && exec "$@" </dev/null`;
  const script = `read go && exec sh -c '${limiting}' sh "$@"`;
  const child = Bun.spawn(["unshare", "--user", "sh", "-c", script, "sh", ...run.command], {
    cwd: run.cwd,
    env: run.env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  await mapAllIds(child.pid);
  child.stdin.write("go\n");
  child.stdin.end();
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

/** Perl that has a seccomp filter judge what it becomes. */
const FILTERED = `my ($hex, @command) = @ARGV; my $filter = pack("H*", $hex);
my $program = pack("Sx6P", length($filter) / 8, $filter);
syscall(${process.arch === "arm64" ? 167 : 157}, 22, 2, $program, 0, 0) == 0 or die "prctl: $!";
exec @command;`;

describeNative((native) => {
  /** A workspace that nothing has been built of before. */
  const workspace = (word: string) =>
    native.workspace({
      ...devcontainerJson({ image: BASE_IMAGE, features: { "./mark": {} } }),
      ...localFeature("mark", `echo ${word} >/mark`),
    });
  const words = (folder: string) => ["build", "--workspace-folder", folder, "--backend", "native"];
  const as = (name: IdentityName) => (native.name === name ? test : test.skip);
  const asRoots = isRoot ? test : test.skip;
  const run = async (
    folder: string,
    { around = [], ...options }: NativeRun & { readonly around?: readonly string[] },
  ) => {
    const { command, cwd, env } = native.command(words(folder), options);
    const child = Bun.spawn([...around, ...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { exitCode, stdout, stderr };
  };
  const expectRefusal = (
    result: CooperResult,
    { message, hint }: { readonly message: RegExp; readonly hint: RegExp },
  ) => {
    const outcome = readOutcome(result);
    expect(outcome).toMatchObject({ outcome: "error", message: expect.stringMatching(message) });
    expect(result.stderr).toMatch(hint);
    // A sentence, not a stack.
    expect(result.stderr).not.toMatch(/^\s+at |ValiError|TypeError/m);
    expect(leftoverWork(native.store)).toEqual([]);
  };
  /** A PATH on which there are only these. */
  const pathWith = (programs: readonly string[]) => {
    const folder = native.directory("path");
    for (const program of programs) symlinkSync(Bun.which(program) ?? `/no ${program}`, join(folder, program));
    return ["env", `PATH=${folder}`];
  };
  const inMountNamespace = (script: string) => ["unshare", "--mount", "sh", "-c", `${script} && exec "$@"`, "sh"];

  test("without unshare, its package is named", async () => {
    const result = await run(workspace("unshare"), { before: pathWith(["sh"]) });
    expectRefusal(result, {
      message: /needs unshare, of the package util-linux/,
      hint: /cooper doctor --backend native/,
    });
  });

  as("ordinary user")("without newuidmap, its package is named", async () => {
    const result = await run(workspace("newuidmap"), { before: pathWith(["sh", "unshare"]) });
    expectRefusal(result, { message: /needs newuidmap, of the package uidmap/, hint: /Install it\./ });
  });

  (native.name === "root" ? test.skip : asRoots)(
    `without subordinate ids, the command that gives some is named${needsRoot}`,
    async () => {
      const around = inMountNamespace("mount --bind /dev/null /etc/subuid");
      const result = await run(workspace("subuid"), { around });
      expectRefusal(result, {
        message: /needs subordinate ids, and \/etc\/subuid has none for cooper-/,
        hint: /usermod --add-subuids/,
      });
    },
  );

  as("ordinary user")(
    "where programs get no rights of their own, as with no-new-privileges, the error says that newuidmap failed",
    async () => {
      const result = await run(workspace("privileges"), { before: ["setpriv", "--no-new-privs", "--"] });
      expectRefusal(result, { message: /newuidmap|new[ug]idmap|uid_map/, hint: /no-new-privileges/ });
    },
  );

  (native.name === "root" ? test.skip : asRoots)(
    `without user namespaces, the switches are named${needsRoot}`,
    async () => {
      const result = await withoutNamespaces("user", native.command(words(workspace("namespaces"))));
      expectRefusal(result, { message: /namespaces of its own: .*unshare/, hint: /user\.max_user_namespaces/ });
    },
  );

  (native.name === "root" ? test.skip : asRoots)(
    `in a container whose seccomp profile forbids them, so is that${needsRoot}`,
    async () => {
      const filter = Buffer.from(systemCallFilter(process.arch === "arm64" ? "arm64" : "x64")).toString("hex");
      const result = await run(workspace("seccomp"), { around: ["perl", "-e", FILTERED, filter] });
      expectRefusal(result, {
        message: /namespaces of its own: .*Operation not permitted/,
        hint: /User namespaces may be switched off|seccomp/,
      });
    },
  );

  (native.name === "root" ? test.skip : asRoots)(
    `in a container that hides parts of /proc, that is named${needsRoot}`,
    async () => {
      const around = inMountNamespace("mount --bind /dev/null /proc/timer_list");
      const result = await run(workspace("proc"), { around });
      expectRefusal(result, { message: /mount proc/, hint: /systempaths=unconfined/ });
    },
  );

  as("root")("without mount namespaces, the limits are named", async () => {
    const result = await withoutNamespaces("mnt", native.command(words(workspace("mounts"))));
    expectRefusal(result, {
      message: /namespaces of its own: unshare: .*No space left/,
      hint: /user\.max_mnt_namespaces/,
    });
  });

  asRoots(
    `a store where no overlay can be takes fuse-overlayfs, and without it the error names both remedies${needsRoot}`,
    async () => {
      const parts = native.directory("overlay");
      const data = join(parts, "merged");
      for (const name of ["lower", "upper", "scratch", "merged"]) mkdirSync(join(parts, name));
      native.give(parts);
      const options = `lowerdir=${parts}/lower,upperdir=${parts}/upper,workdir=${parts}/scratch`;
      expect(Bun.spawnSync(["mount", "-t", "overlay", "-o", options, "none", data]).exitCode).toBe(0);
      try {
        const env = { XDG_DATA_HOME: data };
        const source = `oci:${native.store}:${BASE_IMAGE}`;
        expect(await native.run(["image", "copy", source, `store:${BASE_IMAGE}`], { env })).toMatchObject({
          exitCode: 0,
        });
        const before = pathWith(["sh", "unshare", "newuidmap", "newgidmap"]);
        const result = await run(workspace("overlay"), { before, env });
        expectRefusal(result, {
          message: /cannot hold an overlay|kernel refuses overlays/,
          // In a container the store's volume comes first.
          hint: /Install fuse-overlayfs, or put cooper's store on another file system with XDG_DATA_HOME|Put cooper's store on a volume of this container, or on another file system with XDG_DATA_HOME; fuse-overlayfs/,
        });
        expect(leftoverWork(join(data, "cooper", "store"))).toEqual([]);
        if (Bun.which("fuse-overlayfs") === null) return;
        const image = imageOf(await native.build(workspace("fuse"), { env }));
        expect(await native.run(["image", "validate", `store:${image}`], { env })).toMatchObject({ exitCode: 0 });
        expect(leftoverWork(join(data, "cooper", "store"))).toEqual([]);
      } finally {
        Bun.spawnSync(["umount", "-l", data]);
      }
    },
  );
});
