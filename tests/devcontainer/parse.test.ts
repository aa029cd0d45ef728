import { describe, expect, test } from "bun:test";
import { isEmptyConfig, parseDevContainerConfig } from "../../src/devcontainer/parse.ts";

function parse(text: string) {
  return parseDevContainerConfig(text, "devcontainer.json");
}

function problemOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  return "no problem";
}

test("comments, trailing commas, a byte order mark and Windows line breaks are fine", () => {
  const { config, warnings } = parse(
    '\uFEFF{\r\n  // why\r\n  "image": "debian", /* and */\r\n  "runArgs": ["a",],\r\n}\r\n',
  );
  expect(config).toEqual({ image: "debian", runArgs: ["a"] });
  expect(warnings).toEqual([]);
});

test("config holds what is known and checked, raw all that is written", () => {
  const { config, raw } = parse('{"image":"a","x-mine":{"y":1},"containerEnv":{"PORT":8080}}');
  expect(config).toEqual({ image: "a", containerEnv: { PORT: "8080" } });
  expect(raw).toEqual({ image: "a", "x-mine": { y: 1 }, containerEnv: { PORT: 8080 } });
});

test("places are counted from 1 and found for every value", () => {
  const { locate } = parse('\uFEFF{\r\n  "features": {\n    "a/b": {"v": "1"}\n  },\n  "runArgs": ["a", "b"]\n}');
  expect(locate([])).toBe("devcontainer.json:1:1");
  expect(locate(["features", "a/b", "v"])).toBe("devcontainer.json:3:18");
  expect(locate(["runArgs", 1])).toBe("devcontainer.json:5:20");
  expect(locate(["features", "gone", "v"])).toBe("devcontainer.json:2:15");
});

test("only a file without any content is empty", () => {
  expect([isEmptyConfig(""), isEmptyConfig("\uFEFF"), isEmptyConfig("\n"), isEmptyConfig("{}")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("a text that is no object is an error that names the file", () => {
  for (const text of ["[1]", '"a"', "null", "// nothing", " "]) {
    expect(problemOf(text)).toBe(
      "UserError: Dev container config (devcontainer.json) must contain a JSON object literal.",
    );
  }
});

test("a value of the wrong type is an error at its place", () => {
  expect(problemOf('{\n  "image": 5\n}')).toBe(
    "UserError: devcontainer.json:2:12: image: found the number 5; wanted a string.",
  );
});

test("all values of the wrong type are reported at once, in the order of the file", () => {
  const text = `{
  "waitFor": "never",
  "mounts": ["a", {"type": "bind"}, 4],
  "build": {"dockerfile": [], "args": {"A": null}},
  "features": {"a": [], "b": {"v": {}}},
  "postCreateCommand": {"a": 3, "b": ["x", 4]},
  "appPort": [99999],
  "hostRequirements": {"gpu": "maybe"},
  "portsAttributes": {"3000": {"protocol": "ftp"}},
  "containerEnv": [],
  "extensions": "a"
}`;
  expect(problemOf(text)).toBe(
    [
      "UserError: Dev container config (devcontainer.json) has 14 problems:",
      '  devcontainer.json:2:14: waitFor: found "never"; wanted one of "initializeCommand", "onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand", "postAttachCommand".',
      "  devcontainer.json:3:19: mounts[1].target is missing.",
      "  devcontainer.json:3:37: mounts[2]: found the number 4; wanted a string or an object with type, source and target.",
      "  devcontainer.json:4:27: build.dockerfile: found an array; wanted a string.",
      "  devcontainer.json:4:45: build.args.A: found null; wanted a string.",
      "  devcontainer.json:5:21: features.a: found an array; wanted a string, true or false, or an object of options.",
      "  devcontainer.json:5:36: features.b.v: found an object; wanted a string or true or false.",
      "  devcontainer.json:6:30: postCreateCommand.a: found the number 3; wanted a string or an array of strings.",
      "  devcontainer.json:6:44: postCreateCommand.b[1]: found the number 4; wanted a string.",
      "  devcontainer.json:7:15: appPort[0]: found the number 99999; wanted a port number from 0 to 65535.",
      '  devcontainer.json:8:31: hostRequirements.gpu: found "maybe"; wanted true, false, "optional" or an object with cores and memory.',
      '  devcontainer.json:9:44: portsAttributes["3000"].protocol: found "ftp"; wanted http or https.',
      "  devcontainer.json:10:19: containerEnv: found an array; wanted an object of strings.",
      "  devcontainer.json:11:17: extensions: found a string; wanted an array of strings.",
    ].join("\n"),
  );
});

test("a string in the wrong place is not repeated in the message, as it may be a secret", () => {
  expect(problemOf('{"runArgs":"--env TOKEN=hunter2"}')).not.toContain("hunter2");
});

test("what means nothing or is tolerated is a warning at its place, in the order of the file", () => {
  const text = `{
  "imag": 1, "image": "a", "image": "b",
  "build": {"targt": "x", "args": {"A": 1}},
  "features": {"a": null, "b": 3, "c": {"v": 1}},
  "remoteEnv": {"A": null, "B": true},
  "zzz": {}
}`;
  expect(parse(text).warnings).toEqual([
    'devcontainer.json:2:3: unknown property imag is ignored; did you mean "image"?',
    "devcontainer.json:2:28: property image is written more than once; the last one counts.",
    'devcontainer.json:3:13: unknown property build.targt is ignored; did you mean "target"?',
    "devcontainer.json:3:36: build.args.A is the number 1; it is used as text, better write that.",
    "devcontainer.json:4:16: features.a is null; it is used as {}, better write that.",
    "devcontainer.json:4:27: features.b is the number 3; it is used as text, better write that.",
    "devcontainer.json:4:41: features.c.v is the number 1; it is used as text, better write that.",
    "devcontainer.json:5:28: remoteEnv.B is true; it is used as text, better write that.",
    "devcontainer.json:6:3: unknown property zzz is ignored.",
  ]);
});

test("tolerated values become what they are used as, and the last of repeated properties counts", () => {
  expect(parse('{"image":"a","image":"b","features":{"a":null,"b":3,"c":{"v":1,"w":true}}}').config).toEqual({
    image: "b",
    features: { a: {}, b: "3", c: { v: "1", w: true } },
  });
});

test("every property of the specification is accepted in each of its forms", () => {
  const text = JSON.stringify({
    $schema: "https://example.com/schema.json",
    name: "n",
    dockerFile: "D",
    context: ".",
    build: { dockerfile: "D", context: "..", target: "t", args: { A: "b" }, cacheFrom: ["a"], options: ["--x"] },
    dockerComposeFile: ["a.yml"],
    service: "s",
    runServices: ["s"],
    workspaceFolder: "/w",
    workspaceMount: "",
    features: { a: "1", b: true, c: { v: "x", w: false } },
    overrideFeatureInstallOrder: ["a"],
    containerEnv: { A: "b" },
    remoteEnv: { A: "b", C: null },
    containerUser: "u",
    remoteUser: "u",
    updateRemoteUserUID: true,
    userEnvProbe: "loginShell",
    mounts: ["a", { type: "volume", source: "s", target: "/t" }],
    runArgs: ["--x"],
    appPort: [3000, "3001:3001"],
    forwardPorts: [3000, "db:5432"],
    portsAttributes: {
      "3000": {
        label: "l",
        protocol: "https",
        onAutoForward: "openBrowserOnce",
        elevateIfNeeded: true,
        requireLocalPort: false,
      },
    },
    otherPortsAttributes: { onAutoForward: "ignore" },
    init: true,
    privileged: false,
    capAdd: ["SYS_PTRACE"],
    securityOpt: ["seccomp=unconfined"],
    overrideCommand: false,
    shutdownAction: "stopCompose",
    initializeCommand: "i",
    onCreateCommand: ["a", "b"],
    updateContentCommand: { a: "b", c: ["d"] },
    postCreateCommand: "",
    postStartCommand: [],
    postAttachCommand: {},
    waitFor: "postStartCommand",
    customizations: { vscode: { extensions: [] } },
    hostRequirements: { cpus: 2, memory: "8gb", storage: "32gb", gpu: { cores: 1, memory: "2gb" } },
    secrets: { TOKEN: { description: "d", documentationUrl: "https://example.com" } },
  });
  const { config, raw, warnings } = parse(text);
  expect(warnings).toEqual([]);
  expect(JSON.parse(JSON.stringify(config))).toEqual(JSON.parse(text));
  expect(raw).toEqual(JSON.parse(text));
  for (const other of [
    '{"appPort":3000}',
    '{"dockerComposeFile":"a"}',
    '{"build":{"cacheFrom":"a"}}',
    '{"hostRequirements":{"gpu":"optional"}}',
  ]) {
    expect(problemOf(other)).toBe("no problem");
  }
});

describe("old properties", () => {
  test("move to customizations.vscode, where what is already there wins", () => {
    const { raw, warnings } = parse(
      '{"image":"a","extensions":["a.b"],"settings":{"k":1,"z":2},"devPort":99,' +
        '"customizations":{"vscode":{"extensions":["c.d"],"settings":{"k":7},"devPort":1},"other":{"t":1}}}',
    );
    expect(raw).toEqual({
      image: "a",
      customizations: { vscode: { extensions: ["c.d", "a.b"], settings: { k: 7, z: 2 }, devPort: 1 }, other: { t: 1 } },
    });
    expect(warnings).toEqual([]);
  });

  test("make customizations where there are none", () => {
    expect(parse('{"devPort":0}').raw).toEqual({ customizations: { vscode: { devPort: 0 } } });
  });
});
