import { describe, expect, test } from "bun:test";
import { parseJsonc } from "../../src/devcontainer/jsonc-document.ts";

const syntaxErrors: readonly [text: string, message: string][] = [
  ['{ "a": 1\n  "b": 2 }', 'a.json:2:3: found "b"; wanted a "," or the "}" of the "{" in line 1.'],
  ['{ "a" 1 }', 'a.json:1:7: found "1"; wanted a ":" after the property name.'],
  ['{ "a": }', 'a.json:1:8: found "}"; wanted a value.'],
  ["{ a: 1 }", 'a.json:1:3: found "a"; wanted a property name in double quotes.'],
  ["{ \"b\": 1, 'a': 1 }", "a.json:1:11: found \"'a'\"; wanted a property name in double quotes."],
  ['{ "a": 1,, }', 'a.json:1:10: found ","; wanted a property name in double quotes.'],
  ["{ \"a\": 'x' }", "a.json:1:8: found \"'x'\"; wanted true, false, null, a number, or text in double quotes."],
  ['{ "a": yes }', 'a.json:1:8: found "yes"; wanted true, false, null, a number, or text in double quotes.'],
  ['{ "a": [\n1, 2 }', 'a.json:2:6: found "}"; wanted a "," or the "]" of the "[" in line 1.'],
  ['{\n"a": {"b": 1 ', 'a.json:2:14: found the end of the file; wanted the "}" of the "{" in line 2.'],
  ['{ "a": 1 } x', 'a.json:1:12: found "x"; wanted the end of the file.'],
  ["}", 'a.json:1:1: found "}"; wanted an object.'],
  ['{ "a": 1. }', 'a.json:1:8: found "1."; wanted a digit at the end of the number.'],
  ['{ "a": "x\n" }', 'a.json:1:8: found "x; wanted a closing double quote on the same line.'],
  ['{ "a": "x\ty" }', 'a.json:1:8: found "x\ty"; wanted control characters written as escapes, a tab as \\t.'],
  ['{ "a": "\\u12" }', 'a.json:1:8: found "\\u12"; wanted four hexadecimal digits after "\\u".'],
  [
    '{ "a": "\\q" }',
    'a.json:1:8: found "\\q"; wanted an escape that JSON has: \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u.',
  ],
  ['{ /* "a": 1 }', 'a.json:1:3: found /* "a": 1 }; wanted a "*/" that ends the comment.'],
  ["/* abc", 'a.json:1:1: found "/* abc"; wanted a "*/" that ends the comment.'],
];

describe("a syntax error says where it is, what was found and what was wanted:", () => {
  for (const [text, message] of syntaxErrors) {
    test(JSON.stringify(text), () => {
      expect(() => parseJsonc(text, "a.json")).toThrow(message);
    });
  }
});

test("nothing but comments is no value and no error", () => {
  expect(parseJsonc(" // a\n", "a.json").value).toBeUndefined();
  expect(parseJsonc("", "a.json").value).toBeUndefined();
});

test("repeated properties are named once each, at the last of them, at every depth", () => {
  const document = parseJsonc('{"a":1,"b":[{"c":1,"c":2}],"a":2,\n"a":{"x":3}}', "a.json");
  expect(document.value).toEqual({ a: { x: 3 }, b: [{ c: 2 }] });
  expect(document.duplicates).toEqual([["b", 0, "c"], ["a"]]);
  expect(document.locateKey(["a"])).toBe("a.json:2:1");
  expect(document.locate(["a", "x"])).toBe("a.json:2:10");
});

test("a property called __proto__ is a property like any other", () => {
  const { value } = parseJsonc('{"__proto__":{"polluted":true}}', "a.json");
  expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":true}}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test("nesting without end is an error, not a crash", () => {
  for (const text of ["[".repeat(100_000), `${"[".repeat(201)}1${"]".repeat(201)}`]) {
    expect(() => parseJsonc(text, "a.json")).toThrow("a.json: its objects and arrays are nested too deeply");
  }
  expect(parseJsonc(`${"[".repeat(200)}${"]".repeat(200)}`, "a.json").duplicates).toEqual([]);
});
