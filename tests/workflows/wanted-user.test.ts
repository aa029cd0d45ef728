import { expect, test } from "bun:test";
import { createEngine } from "../../src/runtime/engine.ts";
import type { LocalImage } from "../../src/runtime/local-image.ts";
import { wantedUser } from "../../src/workflows/wanted-user.ts";

const UNSET = { username: null, uid: null, gid: null };
const CALLER = { uid: 1000, gid: 1001, linux: true };

/** An engine that stands in for one that says this of its security, with an image of its kind. */
function sourceOf(kind: LocalImage["engine"], security: string) {
  const asked: string[] = [];
  const engine = createEngine(kind, ({ args }) => {
    asked.push(args.join(" "));
    return Promise.resolve({ exitCode: 0, stdout: security, stderr: "" });
  });
  const image: LocalImage = {
    id: "sha256:1",
    engine: kind,
    digest: "sha256:1",
    pulled: false,
    platform: "linux/amd64",
    user: "",
    env: {},
    labels: {},
    entrypoint: [],
    command: [],
    names: [],
  };
  return { asked, source: { engine, images: new Map([["a", image]]) } };
}

const ROOTLESS = '["name=seccomp,profile=builtin","name=rootless"]\n';
const tools = { environment: { USER: "ada" } };

test("with what stands in for a rootless Docker the caller is root inside, whom its files belong to outside", async () => {
  const { source } = sourceOf("docker", ROOTLESS);
  expect(await wantedUser(UNSET, { source, caller: CALLER }, tools)).toEqual({ name: "ada", uid: 0, gid: 0 });
  const set = await wantedUser({ ...UNSET, uid: 7 }, { source, caller: CALLER }, tools);
  expect(set).toEqual({ name: "ada", uid: 7, gid: 1001 });
});

test("with every other engine the caller's ids are the same inside, and root and Podman's users are asked nothing", async () => {
  const usual = sourceOf("docker", '["name=seccomp,profile=builtin"]\n');
  const ids = { name: "ada", uid: 1000, gid: 1001 };
  expect(await wantedUser(UNSET, { source: usual.source, caller: CALLER }, tools)).toEqual(ids);
  const podman = sourceOf("podman", ROOTLESS);
  expect(await wantedUser(UNSET, { source: podman.source, caller: CALLER }, tools)).toEqual(ids);
  const docker = sourceOf("docker", ROOTLESS);
  const root = { uid: 0, gid: 0, linux: true };
  expect((await wantedUser(UNSET, { source: docker.source, caller: root }, tools)).uid).toBe(0);
  expect((await wantedUser(UNSET, { source: docker.source, caller: { ...CALLER, linux: false } }, tools)).uid).toBe(
    1000,
  );
  expect([...podman.asked, ...docker.asked]).toEqual([]);
});
