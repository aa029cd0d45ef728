import { expect, test } from "bun:test";
import type { ContainerKind } from "../../src/runtime/container-kind.ts";
import { overlayRefused, sandboxRefused, unstartable } from "../../src/runtime/sandbox-failure.ts";

const means = (container?: ContainerKind) =>
  ({ identity: "root", fuseOverlayfs: null, ...(container === undefined ? {} : { container }) }) as const;
const ended = (stderr: string) => ({ exitCode: 1, stdout: "", stderr });
const refused = (container: ContainerKind | undefined, call: string) =>
  sandboxRefused(means(container), { ended: ended(""), refusal: { call, code: "EPERM" } });

test.each([
  ["docker", "mount proc on root/proc: EPERM", "hides parts of /proc", "systempaths=unconfined"],
  ["docker", "pivot_root: EPERM", "its seccomp filter forbids pivot_root", "seccomp=unconfined"],
  ["docker", "mount tmpfs on root/dev: EPERM", "forbids mounts", "--privileged"],
  ["podman", "mount proc on root/proc: EPERM", "hides parts of /proc", "--security-opt unmask=ALL"],
  ["kubernetes", "mount proc on root/proc: EPERM", "hides parts of /proc", "procMount: Unmasked"],
  [undefined, "mount proc on root/proc: EPERM", "hides parts of /proc", "nothing of /proc hidden"],
] as const)(
  "in a container (%s), %s is told with what forbids it and how to allow it",
  (container, call, what, remedy) => {
    const { message, hint } = refused(container, call);
    expect(message).toContain(call);
    expect(hint).toStartWith("This is a container, and ");
    expect(hint).toContain(what);
    expect(hint).toContain(remedy);
  },
);

test("namespaces that a container forbids are not put down to sysctls", () => {
  const { message, hint } = sandboxRefused(means("docker"), {
    ended: ended("unshare: unshare failed: Operation not permitted\n"),
  });
  expect(message).toContain("unshare failed: Operation not permitted");
  expect(hint).toContain("it forbids new namespaces");
  expect(hint).not.toContain("sysctl");
});

test("newuidmap that a container leaves without rights gets them, rather than more ids", () => {
  const stderr = "newuidmap: write to uid_map failed: Operation not permitted";
  expect(sandboxRefused(means("docker"), { ended: ended(stderr) }).hint).toContain("setcap cap_setuid=ep");
  expect(sandboxRefused(means(), { ended: ended(stderr) }).hint).toContain("no-new-privileges");
  const outside = "newuidmap: uid range [1-65536) -> [100000-165535) not allowed";
  expect(sandboxRefused(means(), { ended: ended(outside) }).hint).toContain("usermod --add-subuids");
});

test("an overlay that a container's own file system cannot hold goes on a volume", () => {
  const where = { folder: "/root/store/work/1", code: "EINVAL" };
  expect(overlayRefused(means("docker"), where).hint).toContain("a volume of this container");
  expect(overlayRefused(means(), where).hint).toContain("Install fuse-overlayfs");
});

test("only a program that is not there counts as absent", () => {
  expect(unstartable({ program: "/bin/sh", code: "ENOENT" })).toMatchObject({ isThere: false });
  expect(unstartable({ program: "/bin/sh", code: "EACCES" })).toMatchObject({ isThere: true });
  expect(unstartable({ program: "/bin/sh", code: "ENOEXEC" }).hint).toContain("--platform");
});
