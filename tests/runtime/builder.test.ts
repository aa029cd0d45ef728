import { expect, test } from "bun:test";
import { type BuilderAnswers, decideBuilder } from "../../src/runtime/builder.ts";

const DOCKER: BuilderAnswers = {
  client: "Docker version 28.5.2, build abc",
  buildx: "github.com/docker/buildx 0.29.1 abc",
  server: "28.5.2",
  selinux: false,
};
const AUTO = { buildkit: "auto", named: false } as const;

test("a current docker takes named contexts", () => {
  expect(decideBuilder(DOCKER, AUTO)).toEqual({ kind: "buildx", namedContexts: true });
});

test("a new buildx before an old engine does not: the engine carries the frontend", () => {
  expect(decideBuilder({ ...DOCKER, server: "20.10.24+dfsg1" }, AUTO)).toEqual({
    kind: "buildx",
    namedContexts: false,
  });
});

test("a builder that the user named has a BuildKit of its own", () => {
  expect(decideBuilder({ ...DOCKER, server: "20.10.24" }, { ...AUTO, named: true })).toEqual({
    kind: "buildx",
    namedContexts: true,
  });
});

test("an old or unreadable buildx has no named contexts", () => {
  expect(decideBuilder({ ...DOCKER, buildx: "github.com/docker/buildx v0.7.1" }, AUTO)).toEqual({
    kind: "buildx",
    namedContexts: false,
  });
  expect(decideBuilder({ ...DOCKER, buildx: "buildx dev" }, AUTO)).toEqual({ kind: "buildx", namedContexts: false });
});

test("docker without buildx is the classic builder", () => {
  expect(decideBuilder({ ...DOCKER, buildx: null }, AUTO)).toEqual({ kind: "classic" });
});

test("podman takes named contexts from 4.2 on, whatever its client is called", () => {
  const podman = { client: "podman version 4.3.1", buildx: null, server: "4.3.1", selinux: true };
  expect(decideBuilder(podman, AUTO)).toEqual({ kind: "podman", namedContexts: true, mounts: true, selinux: true });
  expect(decideBuilder({ ...podman, server: "4.1.0" }, AUTO)).toEqual({
    kind: "podman",
    namedContexts: false,
    mounts: true,
    selinux: true,
  });
});

test("never BuildKit means neither mounts nor named contexts on podman", () => {
  const podman = { client: "podman version 5.0.0", buildx: null, server: null, selinux: false };
  expect(decideBuilder(podman, { ...AUTO, buildkit: "never" })).toEqual({
    kind: "podman",
    namedContexts: false,
    mounts: false,
    selinux: false,
  });
});

test("podman under the name of docker is still podman", () => {
  const disguised = { client: "docker version 4.3.1", buildx: null, server: "4.3.1", selinux: false };
  expect(decideBuilder(disguised, AUTO)).toEqual({ kind: "podman", namedContexts: true, mounts: true, selinux: false });
});
