import { describe, expect, test } from "bun:test";
import { parseFeatureManifest } from "../../src/features/manifest-schema.ts";
import { optionVariableName, optionWarnings, resolveOptions } from "../../src/features/options.ts";
import type { JsonObject } from "../../src/json.ts";

const manifestWith = (properties: JsonObject) =>
  parseFeatureManifest(JSON.stringify({ id: "x", ...properties }), { userId: "./x", file: "f" }).manifest;
const lines = (...args: Parameters<typeof resolveOptions>) =>
  resolveOptions(...args).map(({ name, value }) => `${name}=${value}`);

test.each([
  ["option-name", "OPTION_NAME"],
  ["option1-name-with_dashes-", "OPTION1_NAME_WITH_DASHES_"],
  ["myOptionName", "MYOPTIONNAME"],
  ["1name", "_NAME"],
  ["12345_option-name", "_OPTION_NAME"],
  ["$(reboot)", "_REBOOT_"],
])("the option %p is the variable %p", (option, name) => {
  expect(optionVariableName(option)).toBe(name);
});

describe("the variables of a Feature", () => {
  const manifest = manifestWith({
    options: {
      a: { type: "string" },
      b: { type: "string", default: "bd" },
      c: { type: "boolean", default: false },
      d: { type: "string", default: "" },
      n: { type: "number", default: 3 },
    },
  });

  test("are its defaults in the order of declaration, then what the user adds; no default, no variable", () => {
    expect(lines(manifest, { zed: "1", b: "user", "new-opt": true })).toEqual([
      "B=user",
      "C=false",
      "D=",
      "N=3",
      "ZED=1",
      "NEW_OPT=true",
    ]);
  });

  test("keep values as they are, whatever a shell would make of them", () => {
    expect(lines(manifestWith({}), { x: 'a"b$c`d\n' })).toEqual(['X=a"b$c`d\n']);
  });

  test.each([
    ["vv", ["VERSION=vv"]],
    ["", ["VERSION="]],
    [true, ["VERSION=true"]],
    [false, ["VERSION=false"]],
    [{}, ["VERSION=lts"]],
  ])("from the lone value %p are %p when there is an option version", (value, expected) => {
    expect(lines(manifestWith({ options: { version: { default: "lts" } } }), value)).toEqual(expected);
  });

  test("from a lone value are the defaults when there is no option version", () => {
    expect(lines(manifestWith({ options: { x: { default: "1" } } }), "vv")).toEqual(["X=1"]);
  });

  test.each([
    ["bv", "MA=bv"],
    [{ version: "q" }, "MA=q"],
    [{}, "MA=d"],
  ])("end with the old build argument: for %p it is %p", (value, expected) => {
    const old = manifestWith({ buildArg: "MA", options: { version: { default: "d" } } });
    expect(lines(old, value).at(-1)).toBe(expected);
  });

  test("end with the old build argument, true when there is no version", () => {
    expect(lines(manifestWith({ buildArg: "MA" }), { x: "1" })).toEqual(["X=1", "MA=true"]);
  });
});

describe("a warning", () => {
  const manifest = manifestWith({ options: { version: { enum: ["1", "2"], default: "1" }, flag: { default: true } } });
  const warn = (value: Parameters<typeof resolveOptions>[1]) => optionWarnings(manifest, { userId: "./x", value });

  test("names an option that is not declared, and the one that was probably meant", () => {
    expect(warn({ verison: "1", constructor: "y" })).toEqual([
      { kind: "unknown-option", userId: "./x", option: "verison", nearest: "version" },
      { kind: "unknown-option", userId: "./x", option: "constructor", nearest: undefined },
    ]);
  });

  test("names a value outside the declared ones, lone or not", () => {
    const expected = [{ kind: "option-value", userId: "./x", option: "version", value: "3", allowed: ["1", "2"] }];
    expect(warn({ version: "3" })).toMatchObject(expected);
    expect(warn("3")).toMatchObject(expected);
  });

  test("is not given for what is declared", () => {
    expect(warn({ version: "2", flag: false })).toEqual([]);
    expect(warn("1")).toEqual([]);
  });
});
