import { expect, test } from "bun:test";
import {
  applySettings,
  type ImageSettings,
  readPairs,
  readPort,
  readWords,
} from "../../src/assembly/image-settings.ts";
import { emptyImage } from "../../src/oci/image.ts";

const nothing: ImageSettings = {
  env: [],
  labels: {},
  entrypoint: undefined,
  command: undefined,
  workingDirectory: undefined,
  user: undefined,
  exposedPorts: [],
};

const image = emptyImage({ os: "linux", architecture: "amd64", variant: undefined }, "1970-01-01T00:00:00Z");

function configAfter(before: Record<string, string[] | string>, settings: Partial<ImageSettings>) {
  const based = { ...image, config: { ...image.config, config: before } };
  return applySettings(based, { ...nothing, ...settings }).config["config"];
}

test("what is not said stays as the base has it", () => {
  const before = { User: "app", Env: ["A=1"], Cmd: ["x"], StopSignal: "SIGINT" };
  expect(configAfter(before, {})).toEqual(before);
});

test("a variable takes the place of one with the same name, and only of that", () => {
  expect(configAfter({ Env: ["A=1", "AB=2", "C=3"] }, { env: ["A=x", "D=4"] })).toEqual({
    Env: ["A=x", "AB=2", "C=3", "D=4"],
  });
});

test("a new entrypoint drops the command of the base, but not one that is given with it", () => {
  const before = { Entrypoint: ["/old"], Cmd: ["old"] };
  expect(configAfter(before, { entrypoint: ["/new"] })).toEqual({ Entrypoint: ["/new"] });
  expect(configAfter(before, { entrypoint: ["/new"], command: ["new"] })).toEqual({
    Entrypoint: ["/new"],
    Cmd: ["new"],
  });
  expect(configAfter(before, { command: ["new"] })).toEqual({ Entrypoint: ["/old"], Cmd: ["new"] });
});

test("the image that is changed stays as it was", () => {
  const before = JSON.stringify(image);
  applySettings(image, { ...nothing, env: ["A=1"], user: "x" });
  expect(JSON.stringify(image)).toBe(before);
});

test.each([
  ["serve", ["serve"]],
  ["two words", ["two words"]],
  ['["a","b c"]', ["a", "b c"]],
  ["[]", []],
])("the words of %s", (text, words) => {
  expect(readWords(text, "cmd")).toEqual(words);
});

test.each(["[", "[1]", '["a"', "[null]"])("%s is no list of words", (text) => {
  expect(() => readWords(text, "cmd")).toThrow("--cmd was given");
});

test.each([
  ["80", "80/tcp"],
  ["053/udp", "53/udp"],
  ["65535/sctp", "65535/sctp"],
])("the port %s is %s", (text, port) => {
  expect(readPort(text)).toBe(port);
});

test.each(["0", "65536", "80/TCP", "http", "80-90", ""])("%j is no port", (text) => {
  expect(() => readPort(text)).toThrow("--expose was given");
});

test("a pair ends its name at the first equals sign", () => {
  expect(readPairs(["a=b=c", "d="], "label")).toEqual({ a: "b=c", d: "" });
  for (const wrong of ["a", "=b", ""]) expect(() => readPairs([wrong], "label")).toThrow("--label was given");
});
