import { expect, test } from "bun:test";
import { formatReference, parseImageReference } from "../../src/oci/reference.ts";
import { groupByRepository } from "../../src/oci/repository-groups.ts";

test("references are grouped by repository in the order given, each once", () => {
  const names = ["r.example/a:1", "r.example/b:1", "r.example/a:2", "r.example/a:1"];
  const groups = groupByRepository(names.map(parseImageReference));
  expect(groups.map((group) => group.map(formatReference))).toEqual([
    ["r.example/a:1", "r.example/a:2"],
    ["r.example/b:1"],
  ]);
});
