import { expect, test } from "bun:test";
import { plainBuildRequest } from "../../src/workflows/build-request.ts";
import { refuseForBackend } from "../../src/workflows/refuse-for-backend.ts";

const plain = plainBuildRequest({ workspaceFolder: "/w", configPath: undefined });

test.each([
  ["client", { network: "none", stepTimeout: 3 }, "--network, --step-timeout cannot be had with Docker and Podman."],
  ["native", { builder: "b" }, "--builder cannot be had with cooper's own engine."],
  ["native", { platform: "linux/amd64,linux/arm64" }, "builds for one platform at a time"],
  ["native", { platform: "linux/s390x" }, "which is what this machine is, and linux/s390x is wanted."],
  ["native", { platform: "windows/amd64" }, "which is what this machine is, and windows/amd64 is wanted."],
  ["none", { secrets: ["id=a"], ssh: ["default"] }, "--secret, --ssh cannot be had with --backend assemble."],
  ["none", { cacheFrom: ["a"], cacheTo: "b" }, "--cache-from, --cache-to cannot be had with --backend assemble."],
] as const)("%s refuses what it cannot honour by name", (kind, asked, message) => {
  expect(() => refuseForBackend(kind, { ...plain, ...asked })).toThrow(message);
});

test("native takes this machine's platform by any of its names, and the others take any", () => {
  const own = [`linux/${process.arch}`, process.arch === "x64" ? "linux/x86_64" : "linux/aarch64"];
  for (const platform of own) expect(() => refuseForBackend("native", { ...plain, platform })).not.toThrow();
  for (const kind of ["client", "none"] as const) {
    expect(() => refuseForBackend(kind, { ...plain, platform: "linux/s390x" })).not.toThrow();
  }
});

test.each(["client", "native", "none"] as const)("%s takes a plain build", (kind) => {
  expect(() => refuseForBackend(kind, plain)).not.toThrow();
});
