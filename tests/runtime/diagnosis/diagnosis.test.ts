import { expect, test } from "bun:test";
import { diagnose } from "../../../src/runtime/diagnosis/diagnosis.ts";
import { healthyFacts, podman, unreachableDocker } from "./healthy-facts.ts";

const lines = (...args: Parameters<typeof diagnose>) =>
  diagnose(...args).map(({ status, title, detail }) => `${status} ${title}: ${detail}`);

test("a machine in order has one line for everything that was looked at", () => {
  expect(lines(healthyFacts())).toEqual([
    "ok cooper: 1.2.3 on linux x64",
    "ok Directories: /home/ada/.cache/cooper",
    "ok Engine: docker 28.0.1, found on PATH",
    "ok Builder: BuildKit through buildx 0.21.0; Features reach it as a named build context",
    "ok Rootless: no, containers run as root",
    "ok Cgroups: version 2, runtime runc",
    "ok Image store: overlay2",
    "ok Disk, images: 81 GB free at /var/lib/docker",
    "ok Disk, cache: 81 GB free at /home/ada/.cache/cooper",
    "ok Credentials: none: registries are asked anonymously",
  ]);
});

test("Podman adds how it finds short names, and a test run says that it went well", () => {
  const engines = { ...healthyFacts().engines, candidates: [podman()] };
  const builder = {
    builder: { kind: "podman", namedContexts: true, mounts: true, selinux: false } as const,
    buildx: undefined,
    named: undefined,
    current: undefined,
  };
  const found = lines(healthyFacts({ engines, builder, testRun: { kind: "succeeded" } }));
  expect(found).toContain("ok Builder: podman build (Buildah 1.28.2); Features reach it as a named build context");
  expect(found).toContain("ok Rootless: yes, with 65537 user ids for containers");
  expect(found).toContain("ok Short names: looked for at docker.io");
  expect(found).toContain("ok Test run: an image was built, a container of it ran, and both are gone again");
});

test("without an engine that answers, nothing is said about builder, images and the engine's disk", () => {
  const candidates = [unreachableDocker({ kind: "silent", seconds: 10 })];
  const engines = { ...healthyFacts().engines, candidates };
  expect(diagnose(healthyFacts({ engines, builder: null })).map(({ id }) => id)).toEqual([
    "cooper",
    "directories",
    "engine",
    "disk-cache",
    "credentials",
  ]);
});

test("a directory that cannot be written is a problem, mended by taking it over or by another place", () => {
  const directories = [
    { variable: "XDG_CACHE_HOME", path: "/home/ada/.cache/cooper", exists: true, writable: false },
    { variable: "XDG_STATE_HOME", path: "/home/ada/my state/cooper", exists: true, writable: false },
    { variable: "XDG_CONFIG_HOME", path: "/home/ada/.config/cooper", exists: true, writable: true },
  ] as const;
  const checks = diagnose(healthyFacts({ cooper: { version: "1.2.3", directories } }));
  expect(checks[1]).toEqual({
    id: "directories",
    title: "Directories",
    status: "problem",
    detail: "/home/ada/.cache/cooper and /home/ada/my state/cooper cannot be written",
    remedy:
      "Take them over, or name directories that can be written with XDG_CACHE_HOME and XDG_STATE_HOME.\n" +
      "  sudo chown -R ada /home/ada/.cache/cooper '/home/ada/my state/cooper'",
  });
});
