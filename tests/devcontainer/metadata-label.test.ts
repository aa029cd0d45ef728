// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of devcontainer.json look like that.
import { describe, expect, test } from "bun:test";
import {
  configMetadataEntry,
  featureMetadataEntry,
  readMetadataLabel,
  substituteEntry,
  updateableMetadataEntry,
} from "../../src/devcontainer/metadata-label.ts";

describe("reading a label", () => {
  test("keeps entries, unknown keys and the order of keys as they are", () => {
    const text = '[{"weird":1,"remoteUser":"me","id":"x"},{"mounts":["a",{"type":"volume","target":"/t"}]}]';
    const { entries, problems } = readMetadataLabel(text);
    expect(JSON.stringify(entries)).toBe(text);
    expect(problems).toEqual([]);
  });

  test("takes a bare object for a list of one", () => {
    expect(readMetadataLabel('{"remoteUser":"me"}').entries).toEqual([{ remoteUser: "me" }]);
  });

  test("drops empty entries", () => {
    expect(readMetadataLabel('[{},{"id":"a"},{}]')).toEqual({ entries: [{ id: "a" }], problems: [] });
  });

  test("ignores and reports what is no list of objects", () => {
    expect(readMetadataLabel("{nope")).toEqual({
      entries: [],
      problems: ["The label devcontainer.metadata is not JSON; it is ignored."],
    });
    expect(readMetadataLabel("5").problems).toEqual([
      "The label devcontainer.metadata is neither a JSON array nor an object; it is ignored.",
    ]);
    expect(readMetadataLabel('["a",{"id":"b"}]')).toEqual({
      entries: [{ id: "b" }],
      problems: ["Entry 1 of the label devcontainer.metadata is not an object; it is ignored."],
    });
  });

  test("ignores and reports a property of the wrong type, and keeps the rest of its entry", () => {
    expect(readMetadataLabel('[{"id":"a","remoteUser":5,"mounts":{},"init":true}]')).toEqual({
      entries: [{ id: "a", init: true }],
      problems: [
        'Entry 1 of the label devcontainer.metadata: "mounts" is not an array of mounts; it is ignored.',
        'Entry 1 of the label devcontainer.metadata: "remoteUser" is not a string; it is ignored.',
      ],
    });
  });

  test("reads numbers and booleans in environments as text", () => {
    expect(readMetadataLabel('[{"containerEnv":{"A":1,"B":true},"remoteEnv":{"C":null,"D":2}}]').entries).toEqual([
      { containerEnv: { A: "1", B: "true" }, remoteEnv: { C: null, D: "2" } },
    ]);
  });
});

describe("a configuration's entry", () => {
  const raw = {
    hostRequirements: { cpus: 1 },
    remoteEnv: { A: "${localEnv:A}" },
    name: "n",
    runArgs: ["x"],
    features: {},
    initializeCommand: "i",
    workspaceFolder: "/w",
    remoteUser: "me",
    postCreateCommand: "p",
    onCreateCommand: ["o"],
    init: false,
    customizations: { vscode: {} },
  };

  test("has the label's keys in the label's order, values unsubstituted", () => {
    expect(JSON.stringify(configMetadataEntry(raw))).toBe(
      '{"onCreateCommand":["o"],"postCreateCommand":"p","customizations":{"vscode":{}},"init":false,"remoteUser":"me",' +
        '"remoteEnv":{"A":"${localEnv:A}"},"hostRequirements":{"cpus":1}}',
    );
  });

  test("can leave remoteEnv out", () => {
    expect(configMetadataEntry(raw, { omitRemoteEnv: true })).not.toHaveProperty("remoteEnv");
  });

  test("is none when nothing of it belongs into the label", () => {
    expect(configMetadataEntry({ image: "a", name: "b" })).toBeUndefined();
    expect(configMetadataEntry({ remoteEnv: {} }, { omitRemoteEnv: true })).toBeUndefined();
  });

  test("of an existing container is only what may change later", () => {
    expect(updateableMetadataEntry({ ...raw, userEnvProbe: "none" })).toEqual({
      remoteUser: "me",
      userEnvProbe: "none",
      remoteEnv: { A: "${localEnv:A}" },
    });
    expect(updateableMetadataEntry({ init: true })).toBeUndefined();
  });
});

describe("a Feature's entry", () => {
  const manifest = {
    id: "go",
    version: "1.2.3",
    containerEnv: { PATH: "x" },
    customizations: { vscode: {} },
    mounts: [{ type: "volume", source: "s", target: "/t" }],
    entrypoint: "/e",
    init: true,
    postStartCommand: "s",
  };

  test("starts with the id as the user wrote it and leaves containerEnv to the image", () => {
    expect(JSON.stringify(featureMetadataEntry("ghcr.io/devcontainers/features/go:1", manifest))).toBe(
      '{"id":"ghcr.io/devcontainers/features/go:1","postStartCommand":"s","init":true,"entrypoint":"/e",' +
        '"mounts":[{"type":"volume","source":"s","target":"/t"}],"customizations":{"vscode":{}}}',
    );
  });

  test("can leave customizations out", () => {
    expect(featureMetadataEntry("./a", manifest, { omitCustomizations: true })).not.toHaveProperty("customizations");
  });

  test("is its id when the Feature says nothing more", () => {
    expect(featureMetadataEntry("./a", { id: "a" })).toEqual({ id: "./a" });
  });
});

test("variables are replaced in an entry", () => {
  const entry = { id: "a", mounts: ["source=${devcontainerId},target=/t"], remoteUser: "${localEnv:U}" };
  expect(substituteEntry(entry, { devcontainerId: "0a", localEnv: { U: "me" } })).toEqual({
    id: "a",
    mounts: ["source=0a,target=/t"],
    remoteUser: "me",
  });
});
