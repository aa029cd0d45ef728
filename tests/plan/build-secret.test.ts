import { expect, test } from "bun:test";
import { parseBuildSecret } from "../../src/plan/build-secret.ts";

const isSet = (name: string) => name === "TOKEN";

test.each([
  ["id=a,src=/x/y", { id: "a", source: { kind: "file", path: "/x/y" } }],
  ["id=a,source=y", { id: "a", source: { kind: "file", path: "y" } }],
  ["id=a,env=TOKEN", { id: "a", source: { kind: "env", name: "TOKEN" } }],
  ["type=env,id=TOKEN", { id: "TOKEN", source: { kind: "env", name: "TOKEN" } }],
  ["id=TOKEN", { id: "TOKEN", source: { kind: "env", name: "TOKEN" } }],
  ["id=other", { id: "other", source: { kind: "file", path: "other" } }],
  ["type=file,id=TOKEN", { id: "TOKEN", source: { kind: "file", path: "TOKEN" } }],
  ['id=a,"src=/x,y"', { id: "a", source: { kind: "file", path: "/x,y" } }],
] as const)("%s is read as BuildKit reads it", (text, secret) => {
  expect(parseBuildSecret(text, isSet)).toEqual(secret);
});

test.each(["src=/x", "id=../x,src=y", "id=a b", "id=a,where=x", "a"])("%s is refused", (text) => {
  expect(() => parseBuildSecret(text, isSet)).toThrow("wanted id=NAME,src=FILE or id=NAME,env=VARIABLE");
});
