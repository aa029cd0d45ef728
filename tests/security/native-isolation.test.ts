import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BASE_IMAGE } from "../engines/engines.ts";
import { describeNative } from "../engines/native.ts";
import { processesWith, until } from "../engines/processes.ts";
import { type BuildRun, devcontainerJson, imageOf, localFeature } from "../engines/workspace.ts";
import { CHROOT_ESCAPE, probeScript, REFUSED_CALLS } from "./isolation-probe.ts";

/** Everything below a folder with what is in its files; no link is followed. */
function contentOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  return Object.assign(
    {},
    ...entries.map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return contentOf(path);
      return { [path]: entry.isFile() ? readFileSync(path, "latin1") : "not a file" };
    }),
  );
}

function lines(text: string | undefined): string[] {
  return (text ?? "").split("\n").filter((line) => line !== "");
}

const DEVICES = ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"];

describeNative((native) => {
  const word = `canary-${native.id}`;
  const secret = `${word}-in-the-mine`;
  const nap = `sleep 1000.${Number.parseInt(native.id.slice(0, 8), 16)}`;
  const inRoot = process.getuid?.() === 0 ? "/root" : native.home;
  const canaries = [join(inRoot, `.${word}`), join("/tmp", word), join(native.home, word)];
  const storeCanaries = [join(native.store, word), join(native.home, "cache", word)];
  const all = [...canaries, ...storeCanaries, native.home];
  let run: BuildRun;
  let sleeper: Bun.Subprocess;

  beforeAll(async () => {
    for (const folder of ["cache", "data"]) mkdirSync(join(native.home, folder), { recursive: true });
    for (const path of [...canaries, ...storeCanaries]) writeFileSync(path, secret);
    sleeper = Bun.spawn(nap.split(" "));
    native.give(native.home);
    const secretFile = join(native.directory("secret"), "token");
    writeFileSync(secretFile, `${secret}-file`);
    native.give(secretFile);
    const folder = native.workspace({
      ...devcontainerJson({ image: BASE_IMAGE, features: { "./probe": {} } }),
      ...localFeature("probe", probeScript({ paths: all, word, sleeper: sleeper.pid, nap })),
      ".devcontainer/probe/calls.pl": REFUSED_CALLS,
      ".devcontainer/probe/escape.pl": CHROOT_ESCAPE,
    });
    run = await native.build(folder, {
      env: { CANARY: `${secret}-env`, PASSED_ON: `${secret}-passed`, HTTP_PROXY: "" },
      args: ["--secret", `id=token,src=${secretFile}`, "--secret", "id=passed,env=PASSED_ON"],
    });
    imageOf(run);
  });

  afterAll(() => {
    sleeper.kill("SIGKILL");
    for (const path of canaries) rmSync(path, { force: true });
  });

  const fact = (name: string) => {
    const [text] = native.left(`facts/${name}`);
    if (text === undefined) throw new Error(`the step told nothing of ${name}: ${run.stderr}`);
    return text;
  };

  test("a step sees none of the host's files, wherever they are", () => {
    expect(lines(fact("files"))).toEqual(all.map((path) => `no ${path}`));
    expect(fact("found")).toBe("");
  });

  test("a step sees no process but its own, and can signal none of the others", () => {
    const own = lines(fact("processes"));
    expect(own).toContain("1");
    expect(own.length).toBeLessThan(8);
    expect(fact("napping")).toBe("");
    expect(lines(fact("signal")).at(-1)).toBe("refused");
  });

  test("a step has six devices, and none on the image's file system", () => {
    expect(lines(fact("devices"))).toEqual(DEVICES);
    expect(fact("device-nodes")).toBe("");
    expect(lines(fact("device-kinds"))).toEqual(["full", "null", "random", "tty", "urandom", "zero"]);
    expect(fact("device-use")).toBe("0 1\n");
    expect(lines(fact("terminal")).at(-1)).toBe("no terminal");
  });

  test("what reaches past the namespaces is refused", () => {
    const outcomes = Object.fromEntries(lines(fact("calls")).map((line) => line.split(" ")));
    const refusals = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, outcomes[name]]));
    const expectAll = (names: readonly string[], code: string) =>
      expect(refusals(names)).toEqual(Object.fromEntries(names.map((name) => [name, code])));
    expectAll(["mknod-null", "mknod-disk", "mount-tmpfs", "mount-proc", "mount-bind", "remount-sys"], "EPERM");
    expectAll(["umount-sys", "ptrace-first", "pivot-root", "sethostname", "open-by-handle"], "EPERM");
    expectAll(["clear-kernel-log", "set-clock", "swapon", "reboot", "load-module"], "EPERM");
    expectAll(["add-key", "session-keys", "user-keys", "bpf"], "EPERM");
    expectAll(["new-user-namespace", "clone-user-namespace"], "EPERM");
    // Which a C library takes for a kernel that has only the call before it.
    expectAll(["clone3"], "ENOSYS");
    const first = ["environ", "mem", "maps", "exe", "cwd", "root/", "fd/0", "ns/mnt", "task/1/environ"];
    expectAll(
      first.map((name) => `first-${name}`),
      "EACCES",
    );
    const switches = ["sys/kernel/core_pattern", "sys/kernel/hostname", "sys/vm/drop_caches"];
    expectAll(
      switches.map((name) => `write-/proc/${name}`),
      "EROFS",
    );
    expectAll(["write-/proc/sysrq-trigger"], existsSync("/proc/sysrq-trigger") ? "EROFS" : "ENOENT");
    expect(outcomes["kcore"]).toBe("nothing");
  });

  test("who leaves a step's root by chroot is in the image still", () => {
    expect(lines(fact("escape"))).toEqual(["caged", ...all.map((path) => `no ${path}`), "image"]);
  });

  test("a step gets no user namespace of its own, in which it could mount the control groups", () => {
    expect(fact("nested")).toContain("Operation not permitted");
    expect(lines(fact("nested"))).not.toContain("done");
    expect(fact("nested")).not.toContain(secret);
  });

  test("a step has what containers keep of root's capabilities, less the making of devices and raw sockets", () => {
    const kept = "00000000a00405fb";
    expect(lines(fact("capabilities"))).toEqual([
      "CapInh:\t0000000000000000",
      `CapPrm:\t${kept}`,
      `CapEff:\t${kept}`,
      `CapBnd:\t${kept}`,
      "CapAmb:\t0000000000000000",
    ]);
  });

  test("a step has namespaces of its own, but for the network's, and a host name that says nothing", () => {
    expect(fact("hostname")).toBe("cooper\n");
    const names = ["ipc", "mnt", "net", "pid", "user", "uts"];
    const here = names.map((name) => readlinkSync(`/proc/self/ns/${name}`));
    const inside = lines(fact("namespaces"));
    const shared = names.filter((_, index) => inside[index] === here[index]);
    expect(shared).toEqual(native.name === "root" ? ["net", "user"] : ["net"]);
  });

  test("a step's environment has nothing of cooper's own, and its files are stdin, stdout and stderr", () => {
    expect(lines(fact("environment")).map((line) => line.split("=")[0])).toEqual(
      expect.not.arrayContaining(["CANARY", "XDG_DATA_HOME", "SUDO_USER", "USER", "LOGNAME"]),
    );
    expect(fact("environment")).not.toContain(word);
    expect(lines(fact("descriptors"))).toEqual(["0 /dev/null", "1 pipe", "2 pipe"]);
  });

  test("secrets are files in memory while the step runs, and nowhere else", () => {
    expect(fact("secrets")).toBe(["passed", "token", "both match", "read only", "tmpfs", ""].join("\n"));
    const kept = Object.entries(contentOf(native.home)).flatMap(([path, text]) =>
      text.includes(secret) && !all.includes(path) ? [path] : [],
    );
    expect(kept).toEqual([]);
    expect(run.stdout + run.stderr).not.toContain(secret);
  });

  test("what a step left running is gone when it ends", async () => {
    expect(fact("background")).toContain("started");
    await until(
      () => processesWith(`${nap}9`).length === 0,
      () => JSON.stringify(processesWith(`${nap}9`)),
    );
    expect(existsSync(join(native.store, "work"))).toBe(true);
    expect(readdirSync(join(native.store, "work"))).toEqual([]);
  });

  test("--network none leaves a step with a loopback that works, and nothing else", async () => {
    const folder = native.workspace({
      ...devcontainerJson({ image: BASE_IMAGE, features: { "./alone": {} } }),
      ...localFeature(
        "alone",
        `mkdir /facts && tail -n +3 /proc/net/dev | cut -d: -f1 >/facts/interfaces
readlink /proc/self/ns/net >/facts/network
perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die; print IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport) ? "reached" : "not"' >/facts/loopback`,
      ),
    });
    imageOf(await native.build(folder, { args: ["--network", "none"] }));
    expect(native.left("facts/interfaces").map((text) => text.trim())).toEqual(["lo"]);
    expect(native.left("facts/network")).not.toEqual([`${readlinkSync("/proc/self/ns/net")}\n`]);
    expect(native.left("facts/loopback")).toEqual(["reached"]);
  });
});
