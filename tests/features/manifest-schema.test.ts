import { expect, test } from "bun:test";
import { parseFeatureManifest } from "../../src/features/manifest-schema.ts";

const source = { userId: "./go", file: "/ws/.devcontainer/go/devcontainer-feature.json" };
const parse = (text: string) => parseFeatureManifest(text, source);

test("a description may have comments and trailing commas; unknown keys are kept raw only", () => {
  const { manifest, raw } = parse('{"id": "go", // the language\n "x-mine": 1, "version": "1.0.0",}');
  expect(manifest).toEqual({ id: "go", version: "1.0.0" });
  expect(raw).toEqual({ id: "go", "x-mine": 1, version: "1.0.0" });
});

test("options, dependencies, hooks and mounts in every form they have", () => {
  const text = JSON.stringify({
    id: "go",
    options: {
      version: { type: "string", default: "latest", proposals: ["1"], enum: ["1", "latest"], description: "d" },
    },
    dependsOn: { "./a": {}, "./b": "1", "./c": { x: true, n: 1 } },
    installsAfter: ["./d"],
    mounts: ["source=a,target=/a", { type: "volume", source: "b", target: "/b" }],
    postCreateCommand: { one: "echo 1", two: ["echo", "2"] },
    onCreateCommand: ["echo"],
    containerEnv: { PATH: "/go/bin:$PATH" },
    init: true,
    privileged: false,
    capAdd: ["SYS_PTRACE"],
    securityOpt: ["seccomp=unconfined"],
    entrypoint: "/start.sh",
    customizations: { vscode: { extensions: ["a"] } },
  });
  const { manifest, raw } = parse(text);
  expect(raw).toEqual(JSON.parse(text));
  expect(manifest.dependsOn).toEqual({ "./a": {}, "./b": "1", "./c": { x: true, n: "1" } });
  expect<unknown>(manifest.mounts).toEqual(raw["mounts"]);
});

test("old top-level extensions and settings move to customizations.vscode, whose own settings win", () => {
  const { raw } = parse(
    '{"id":"go","extensions":["b"],"settings":{"x":1,"y":1},"customizations":{"vscode":{"extensions":["a"],"settings":{"y":2}},"other":{}}}',
  );
  expect(raw).toEqual({
    id: "go",
    customizations: { vscode: { extensions: ["a", "b"], settings: { x: 1, y: 2 } }, other: {} },
  });
});

const file = source.file;

test("a syntax error says where it is", () => {
  expect(() => parse('{\n  "id": "go"\n  "version": "1"\n}')).toThrow(`Feature './go': ${file}:3:3: found`);
});

test.each([
  ['{"id": 1}', "1:8: id: found the number 1; wanted a string."],
  ['{"version": "1"}', "1:1: id is missing."],
  ['{"id": ""}', "1:8: id: found a string; wanted a name."],
  [
    '{"id":"go","options":{"v.w":{"enum":"1"}}}',
    '1:37: options["v.w"].enum: found a string; wanted an array of strings.',
  ],
  ['{"id":"go","options":["v"]}', "options: found an array; wanted an object of options."],
  ['{"id":"go",\n"installsAfter":"./a"}', "2:17: installsAfter: found a string; wanted an array of strings."],
  ['{"id":"go","dependsOn":["./a"]}', "dependsOn: found an array; wanted an object of Features."],
  ['{"id":"go","capAdd":["A",2]}', "1:26: capAdd[1]: found the number 2; wanted a string."],
  ['{"id":"go","buildArg":"A;reboot"}', "buildArg: found "],
  ['{"id":"go","extensions":"a"}', "1:25: extensions: found a string; wanted an array of strings."],
  ["[]", "1:1: found an array; wanted an object."],
  ["", "1:1: found nothing; wanted an object."],
])("%p is refused with its place, what was found and what was wanted", (text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test("everything that is wrong is said at once", () => {
  expect(() => parse('{"id": 1,\n"name": 2}')).toThrow(
    `Feature './go': ${file}:1:8: id: found the number 1; wanted a string.\n${file}:2:9: name: found the number 2; wanted a string.`,
  );
});
