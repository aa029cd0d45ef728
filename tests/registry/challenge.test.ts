import { expect, test } from "bun:test";
import { parseChallenges } from "../../src/registry/challenge.ts";

function read(header: string): unknown[] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

test("a bearer challenge as registries send it", () => {
  expect(
    read('Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"'),
  ).toEqual([
    ["bearer", { realm: "https://auth.example/token", service: "registry.example", scope: "repository:a/b:pull,push" }],
  ]);
});

test.each<[string, string, unknown[]]>([
  ["unquoted values", "Basic realm=private", [["basic", { realm: "private" }]]],
  ["no parameters", "Negotiate", [["negotiate", {}]]],
  ["names and schemes in any case", 'BEARER Realm="x"', [["bearer", { realm: "x" }]]],
  ["spaces around = and ,", 'Bearer realm = "x" , service = "y"', [["bearer", { realm: "x", service: "y" }]]],
  ["quotes inside quotes", 'Basic realm="say \\"hi\\", \\\\o/"', [["basic", { realm: 'say "hi", \\o/' }]]],
  [
    "several challenges",
    'Negotiate, Basic realm="a", Bearer realm="b",service="c"',
    [
      ["negotiate", {}],
      ["basic", { realm: "a" }],
      ["bearer", { realm: "b", service: "c" }],
    ],
  ],
  ["nothing", "", []],
  ["parameters of nothing", 'realm="x"', []],
  ["an unclosed quote", 'Bearer service="y",realm="x', [["bearer", { service: "y" }]]],
])("%s", (_, header, challenges) => {
  expect(read(header)).toEqual(challenges);
});
