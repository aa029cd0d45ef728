import { expect, test } from "bun:test";
import { parseImageReference } from "../../src/oci/reference.ts";
import { parseStepCachePlace } from "../../src/plan/step-cache-place.ts";

test("a folder and a registry are read as BuildKit's options have them", () => {
  const registry = { kind: "registry", reference: parseImageReference("r.example/a:1") } as const;
  expect(parseStepCachePlace("type=local,dest=/c", "cache-to")).toEqual({ kind: "folder", path: "/c" });
  expect(parseStepCachePlace("type=local,src=c", "cache-from")).toEqual({ kind: "folder", path: "c" });
  expect(parseStepCachePlace("type=registry,ref=r.example/a:1,mode=max", "cache-to")).toEqual(registry);
  expect(parseStepCachePlace("r.example/a:1", "cache-from")).toEqual(registry);
});

test.each(["type=gha", "type=local,src=/c", "type=registry", "type=inline"])("%s is no place to write to", (text) => {
  expect(() => parseStepCachePlace(text, "cache-to")).toThrow(
    `--cache-to ${JSON.stringify(text)} is not for cooper's own engine`,
  );
});
