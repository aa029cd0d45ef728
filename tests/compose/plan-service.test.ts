import { expect, test } from "bun:test";
import { readComposeModel } from "../../src/compose/compose-model.ts";
import { findService } from "../../src/compose/find-service.ts";
import { planServiceContainer } from "../../src/compose/plan-service.ts";
import { mergeMetadata } from "../../src/devcontainer/merge.ts";
import type { MetadataEntry } from "../../src/devcontainer/metadata-label.ts";

const IMAGE = { reference: "acme/app", user: "", entrypoint: ["/entry", "-x"], command: ["serve"] };

function plan(service: object, entries: readonly MetadataEntry[] = [], metadata?: readonly MetadataEntry[]) {
  return planServiceContainer({
    image: IMAGE,
    service: findService(readComposeModel(JSON.stringify({ services: { app: service } })), "app"),
    merged: mergeMetadata(entries),
    idLabels: { "devcontainer.local_folder": "/work" },
    mounts: [{ type: "volume", source: "cache", target: "/cache", external: true }],
    gpus: false,
    metadata,
    host: { kind: "docker" },
  });
}

test("what the image runs is run behind the entrypoints, unless the configuration says no", () => {
  expect(plan({}).command).toEqual(["/entry", "-x", "serve"]);
  expect(plan({}, [{ overrideCommand: false }]).command).toEqual(["/entry", "-x", "serve"]);
  expect(plan({}, [{ overrideCommand: true }]).command).toEqual([]);
});

test("a service's command replaces the image's, its entrypoint both", () => {
  expect(plan({ command: ["sleep", "1"], entrypoint: null }).command).toEqual(["/entry", "-x", "sleep", "1"]);
  expect(plan({ entrypoint: ["/own"] }).command).toEqual(["/own"]);
  expect(plan({ entrypoint: ["/own"], command: ["a b"] }).command).toEqual(["/own", "a b"]);
  expect(plan({ entrypoint: [], command: ["a"] }).command).toEqual(["a"]);
  expect(plan({ command: [] }).command).toEqual(["/entry", "-x"]);
});

test("the user is the configuration's, else the service's, else nobody's", () => {
  expect(plan({ user: "1000:1000" }).user).toBe("1000:1000");
  expect(plan({ user: 1000 }, [{ containerUser: "dev" }]).user).toBe("dev");
  expect(plan({}).user).toBeUndefined();
});

test("the workspace is not mounted, and what is mounted beside it is", () => {
  expect(plan({}, [{ mounts: ["type=bind,source=/a,target=/b"] }])).toMatchObject({
    mounts: ["type=bind,source=/a,target=/b", "type=volume,src=cache,dst=/cache"],
    externalVolumes: ["cache"],
  });
});

test("metadata that the image does not carry is labelled, also where there is none", () => {
  expect(plan({}, [], [{ remoteUser: "dev" }]).metadataLabel).toBe('[{"remoteUser":"dev"}]');
  expect(plan({}, [], []).metadataLabel).toBe("[]");
  expect(plan({}).metadataLabel).toBeUndefined();
});
