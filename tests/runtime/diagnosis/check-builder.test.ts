import { expect, test } from "bun:test";
import { type BuilderFacts, checkBuilder } from "../../../src/runtime/diagnosis/check-builder.ts";
import { docker, machineWith, podman } from "./healthy-facts.ts";

const buildx = (changes: Partial<BuilderFacts> = {}): BuilderFacts => ({
  builder: { kind: "buildx", namedContexts: true },
  buildx: "0.21.0",
  named: undefined,
  current: { kind: "found", name: "default", driver: "docker", status: "running" },
  ...changes,
});
const classic = buildx({ builder: { kind: "classic" }, buildx: undefined, current: undefined });
const buildah = (namedContexts: boolean) =>
  buildx({ builder: { kind: "podman", namedContexts, mounts: true, selinux: false }, buildx: undefined });

test("the default builder goes without saying, a chosen one is named", () => {
  expect(checkBuilder(buildx(), docker(), machineWith()).detail).toBe(
    "BuildKit through buildx 0.21.0; Features reach it as a named build context",
  );
  const current = { kind: "found", name: "big", driver: "docker-container", status: "inactive" } as const;
  expect(checkBuilder(buildx({ current }), docker(), machineWith()).detail).toContain(
    "0.21.0, builder big (docker-container, inactive);",
  );
  expect(checkBuilder(buildx({ current, named: "big" }), docker(), machineWith()).detail).toContain(
    "builder big (docker-container, inactive, from BUILDX_BUILDER)",
  );
});

test("a builder that does not exist is a problem, and the remedy undoes what named it", () => {
  const current = { kind: "missing", found: 'no builder "nope" found' } as const;
  expect(checkBuilder(buildx({ current, named: "nope" }), docker(), machineWith())).toEqual({
    id: "builder",
    title: "Builder",
    status: "problem",
    detail: 'BUILDX_BUILDER=nope cannot be used: no builder "nope" found',
    remedy: "Name one that exists, or take the default one:\n  docker buildx ls\n  unset BUILDX_BUILDER",
  });
  expect(checkBuilder(buildx({ current }), docker(), machineWith()).remedy).toEndWith("docker buildx use default");
});

test("BuildKit without named contexts works, and an upgrade would bring them", () => {
  const check = checkBuilder(buildx({ builder: { kind: "buildx", namedContexts: false } }), docker(), machineWith());
  expect(check.status).toBe("warning");
  expect(check.detail).toContain("Features take the longer way");
  expect(check.remedy).toBe("Upgrade docker's engine to 23 or later, and buildx to 0.8 or later.");
});

test("the classic builder is a warning, with the plugin's name in the packages that docker came from", () => {
  const remedy = (clientVersion: string, programs?: readonly string[]) =>
    checkBuilder(
      classic,
      docker({ clientVersion }),
      programs === undefined ? machineWith() : machineWith([], { programs: new Set(programs) }),
    ).remedy;
  expect(remedy("28.0.1")).toBe("Install the plugin:\n  sudo apt-get install docker-buildx-plugin");
  expect(remedy("26.1.5+dfsg1")).toBe("Install the plugin:\n  sudo apt-get install docker-buildx");
  expect(remedy("28.0.1", ["apk", "doas"])).toBe("Install the plugin:\n  doas apk add docker-cli-buildx");
  expect(remedy("28.0.1", [])).toBe("Install the plugin.");
});

test("Podman builds with named contexts from 4.2 on", () => {
  expect(checkBuilder(buildah(true), podman(), machineWith()).status).toBe("ok");
  const old = checkBuilder(buildah(false), podman(), machineWith());
  expect([old.status, old.remedy]).toEqual(["warning", "Upgrade Podman to 4.2 or later."]);
});

test("a builder that did not answer is no reason to stop", () => {
  expect(checkBuilder(null, docker(), machineWith()).status).toBe("warning");
});
