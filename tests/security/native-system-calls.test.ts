import { expect, test } from "bun:test";
import { BASE_IMAGE } from "../engines/engines.ts";
import { describeNative } from "../engines/native.ts";
import { devcontainerJson, imageOf, localFeature } from "../engines/workspace.ts";

const NUMBERS =
  process.arch === "arm64"
    ? { keyctl: 219, addKey: 217, perf: 241, bpf: 280, unshare: 97, mount: 40 }
    : { keyctl: 250, addKey: 248, perf: 298, bpf: 321, unshare: 272, mount: 165 };

const PROGRAM = `use Errno;
my ($none, $name, $value, $attributes) = (0, "cooper", "x", "\\0" x 128);
my ($type, $root) = ("user", "/");
sub outcome { my ($name, $result) = @_; print "$name ", ($result == -1 ? "$!" : "allowed"), "\\n"; }
outcome("session keyring", syscall(${NUMBERS.keyctl}, 0, -3, 0));
outcome("add_key", syscall(${NUMBERS.addKey}, $type, $name, $value, 1, -4));
outcome("perf_event_open", syscall(${NUMBERS.perf}, $attributes, 0, -1, -1, $none));
outcome("bpf", syscall(${NUMBERS.bpf}, $none, $attributes, 128));
outcome("user namespace", syscall(${NUMBERS.unshare}, 0x10000000));
outcome("open_tree", syscall(428, -100, $root, 1));
outcome("io_uring_setup", syscall(425, 1, $attributes));
`;

describeNative((native) => {
  test("a step cannot reach the kernel's keys, tracing, namespaces and mounts, and threads and processes work", async () => {
    const folder = native.workspace({
      ...devcontainerJson({ image: BASE_IMAGE, features: { "./calls": {} } }),
      ...localFeature(
        "calls",
        `mkdir /facts
perl calls.pl >/facts/calls
grep ^Seccomp: /proc/self/status >/facts/filter
perl -e 'defined(my $id = fork) or die; exit 0 unless $id; waitpid($id, 0); print "forked\\n"' >/facts/processes`,
      ),
      ".devcontainer/calls/calls.pl": PROGRAM,
    });
    imageOf(await native.build(folder));
    const fact = (name: string) => native.left(`facts/${name}`);
    const refused = "Operation not permitted";
    const names = ["session keyring", "add_key", "perf_event_open", "bpf", "user namespace", "open_tree"];
    expect(fact("calls")).toEqual([[...names, "io_uring_setup"].map((name) => `${name} ${refused}\n`).join("")]);
    expect(fact("filter")).toEqual(["Seccomp:\t2\n"]);
    expect(fact("processes")).toEqual(["forked\n"]);
  });
});
