// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of devcontainer.json look like that.
import { expect, test } from "bun:test";
import { containerUserOf, mergedConfiguration, mergeMetadata, remoteUserOf } from "../../src/devcontainer/merge.ts";
import type { MetadataEntry } from "../../src/devcontainer/metadata-label.ts";

const fromImage: MetadataEntry[] = [
  {
    id: "f1",
    entrypoint: "/e1",
    init: true,
    mounts: ["source=x,target=/t,type=bind", "source=y,target=/only,type=volume"],
    capAdd: ["Z", "A"],
    customizations: { vscode: { extensions: ["base"] } },
    postCreateCommand: "echo base",
    containerUser: "cu",
    remoteUser: "",
    forwardPorts: ["localhost:3000", 4000],
    portsAttributes: { "3000": { label: "old", protocol: "http" } },
    containerEnv: { A: "base", Z: "z" },
    hostRequirements: { cpus: 1, memory: "8gb", storage: "1tb", gpu: "optional" },
  },
  { id: "only" },
  {
    entrypoint: "/e2",
    postCreateCommand: { a: "x" },
    overrideCommand: true,
    remoteEnv: { B: "b" },
    hostRequirements: { gpu: { cores: 3, memory: "2gb" } },
  },
];

const config = {
  image: "meta-base:1",
  unknownKey: { a: 1 },
  customizations: { vscode: { settings: { k: 7 } }, other: { t: 1 } },
  postCreateCommand: "echo cfg",
  onCreateCommand: "",
  postStartCommand: ["a"],
  postAttachCommand: { a: "b" },
  waitFor: "postCreateCommand" as const,
  shutdownAction: "none" as const,
  userEnvProbe: "none" as const,
  mounts: [
    "type=bind,src=/a,dst=/t",
    { type: "volume", source: "v", target: "/u" },
    "type=volume,source=q,destination=/w,ro",
  ],
  forwardPorts: [3000, "localhost:3001", "db:5432"],
  initializeCommand: "true",
  hostRequirements: { cpus: 2, memory: "4gb" },
  containerEnv: { A: "/root", N: "5" },
  remoteEnv: { B: null, C: "${containerEnv:PATH}" },
  portsAttributes: { "3000": { label: "web" } },
  otherPortsAttributes: { onAutoForward: "silent" as const },
  capAdd: ["A", "B", "A"],
  securityOpt: [],
  privileged: false,
  overrideCommand: false,
  updateRemoteUserUID: true,
  remoteUser: "me",
};

/** What `devcontainer read-configuration --include-merged-configuration` (0.89.0) makes of the same image and file. */
const reported = {
  image: "meta-base:1",
  unknownKey: { a: 1 },
  waitFor: "postCreateCommand",
  userEnvProbe: "none",
  mounts: [
    "source=y,target=/only,type=volume",
    "type=bind,src=/a,dst=/t",
    { type: "volume", source: "v", target: "/u" },
    "type=volume,source=q,destination=/w,ro",
  ],
  forwardPorts: [3000, 4000, 3001, "db:5432"],
  initializeCommand: "true",
  hostRequirements: {
    cpus: 2,
    memory: "8589934592",
    storage: "1099511627776",
    gpu: { cores: 3, memory: "2147483648" },
  },
  containerEnv: { A: "/root", Z: "z", N: "5" },
  remoteEnv: { B: null, C: "${containerEnv:PATH}" },
  portsAttributes: { "3000": { label: "web" } },
  otherPortsAttributes: { onAutoForward: "silent" },
  capAdd: ["Z", "A", "B"],
  privileged: false,
  overrideCommand: false,
  updateRemoteUserUID: true,
  remoteUser: "me",
  init: true,
  entrypoints: ["/e1", "/e2"],
  customizations: { vscode: [{ extensions: ["base"] }, { settings: { k: 7 } }], other: [{ t: 1 }] },
  onCreateCommands: [],
  updateContentCommands: [],
  postCreateCommands: ["echo base", { a: "x" }, "echo cfg"],
  postStartCommands: [["a"]],
  postAttachCommands: [{ a: "b" }],
  containerUser: "cu",
  shutdownAction: "none",
};

test("image, Features and configuration merge as in the reference CLI", () => {
  expect(mergedConfiguration(config, mergeMetadata([...fromImage, config]))).toEqual(reported);
});

test("without any entry only the booleans, hooks and environments are there", () => {
  expect(mergedConfiguration({ image: "a" }, mergeMetadata([]))).toEqual({
    image: "a",
    init: false,
    privileged: false,
    onCreateCommands: [],
    updateContentCommands: [],
    postCreateCommands: [],
    postStartCommands: [],
    postAttachCommands: [],
    remoteEnv: {},
    containerEnv: {},
    portsAttributes: {},
  });
});

test("the last user that is not empty counts", () => {
  const entries = [{ remoteUser: "a", containerUser: "c" }, { remoteUser: "b" }, { remoteUser: "", containerUser: "" }];
  expect(remoteUserOf(entries)).toBe("b");
  expect(containerUserOf(entries)).toBe("c");
  expect(remoteUserOf([])).toBeUndefined();
});

test("of booleans that may be undefined the last one given counts", () => {
  const entries = [{ overrideCommand: true, updateRemoteUserUID: false }, { overrideCommand: false }, { id: "x" }];
  expect(mergeMetadata(entries)).toMatchObject({ overrideCommand: false, updateRemoteUserUID: false });
});

test("init and privileged stay on once anybody wants them", () => {
  expect(mergeMetadata([{ init: true, privileged: true }, { init: false }])).toMatchObject({
    init: true,
    privileged: true,
  });
});

test("mounts without a target are all kept", () => {
  expect(mergeMetadata([{ mounts: ["type=tmpfs", "type=tmpfs"] }]).mounts).toEqual(["type=tmpfs", "type=tmpfs"]);
});

test("a local port is one port in both spellings", () => {
  expect(
    mergeMetadata([{ forwardPorts: [1, "localhost:1", "localhost:01", "other:1", "localhost:x"] }]).forwardPorts,
  ).toEqual([1, "other:1", "localhost:x"]);
});
