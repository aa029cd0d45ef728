import type { FeatureValue } from "../../src/devcontainer/schema.ts";

/** A configuration of local Features, and the ids and values in the order in which they are installed. */
export type OrderFixture = {
  readonly name: string;
  readonly features: Readonly<Record<string, FeatureValue>>;
  readonly override?: readonly string[];
  readonly manifests: Readonly<
    Record<string, { dependsOn?: Record<string, FeatureValue>; installsAfter?: readonly string[] }>
  >;
  readonly order: readonly (readonly [userId: string, value: FeatureValue])[];
};

export const orderFixtures: readonly OrderFixture[] = [
  {
    name: "installsAfter moves a Feature behind those that are installed, and installs nothing",
    features: { "./a": {}, "./c": { magicNumber: "321" } },
    manifests: { a: { installsAfter: ["./b", "./c"] }, b: {}, c: {} },
    order: [
      ["./c", { magicNumber: "321" }],
      ["./a", {}],
    ],
  },
  {
    name: "dependsOn installs a Feature with its options",
    features: { "./a": {} },
    manifests: { a: { dependsOn: { "./b": { magicNumber: "50" } } }, b: {} },
    order: [
      ["./b", { magicNumber: "50" }],
      ["./a", {}],
    ],
  },
  {
    name: "one Feature with five sets of options is installed five times",
    features: { "./a": { optA: "a", optB: "b" } },
    manifests: {
      a: { dependsOn: { "./c": {}, "./b": { optA: "a", optB: "a" } } },
      b: {},
      c: { dependsOn: { "./d": {}, "./e": {}, "./b": { optA: "b", optB: "b" } } },
      d: { dependsOn: { "./b": { optA: "a", optB: "b" } } },
      e: { dependsOn: { "./b": { optB: "a", optA: "b" }, "./f": {} } },
      f: { dependsOn: { "./b": {} } },
    },
    order: [
      ["./b", {}],
      ["./b", { optA: "a", optB: "a" }],
      ["./b", { optA: "a", optB: "b" }],
      ["./b", { optB: "a", optA: "b" }],
      ["./b", { optA: "b", optB: "b" }],
      ["./d", {}],
      ["./f", {}],
      ["./e", {}],
      ["./c", {}],
      ["./a", { optA: "a", optB: "b" }],
    ],
  },
  {
    name: "dependsOn and installsAfter count together",
    features: { "./a": {} },
    manifests: { a: { dependsOn: { "./c": { magicNumber: "321" } }, installsAfter: ["./b"] }, b: {}, c: {} },
    order: [
      ["./c", { magicNumber: "321" }],
      ["./a", {}],
    ],
  },
  {
    name: "override moves a dependency before its like",
    features: { "./a": {} },
    override: ["./c"],
    manifests: { a: { dependsOn: { "./b": {}, "./c": {}, "./d": {} } }, b: {}, c: {}, d: {} },
    order: [
      ["./c", {}],
      ["./b", {}],
      ["./d", {}],
      ["./a", {}],
    ],
  },
  {
    name: "override yields to dependencies in between",
    features: { "./a": {}, "./c": {} },
    override: ["./c", "./d"],
    manifests: {
      a: { dependsOn: { "./b": {}, "./d": {} }, installsAfter: ["./c"] },
      b: { dependsOn: { "./c": {} } },
      c: {},
      d: {},
    },
    order: [
      ["./c", {}],
      ["./d", {}],
      ["./b", {}],
      ["./a", {}],
    ],
  },
  {
    name: "override decides within a round, not across rounds",
    features: { "./b": {}, "./c": {} },
    override: ["./a", "./b", "./c"],
    manifests: { a: {}, b: { dependsOn: { "./a": {} } }, c: {} },
    order: [
      ["./a", {}],
      ["./b", {}],
      ["./c", {}],
    ],
  },
  {
    name: "ids are sorted punctuation, digits, letters, lower case first",
    features: Object.fromEntries(
      ["B", "a", "_c", "-d", "C", "1", "a-b", "ab", "a_b", "a.b", "Ab"].map((id) => [`./${id}`, {}]),
    ),
    manifests: Object.fromEntries(
      ["B", "a", "_c", "-d", "C", "1", "a-b", "ab", "a_b", "a.b", "Ab"].map((id) => [id, {}]),
    ),
    order: ["_c", "-d", "1", "a", "a_b", "a-b", "a.b", "ab", "Ab", "B", "C"].map((id) => [`./${id}`, {}]),
  },
  {
    name: "values are sorted by type, then content",
    features: { "./a": {}, "./b": {}, "./d": {} },
    manifests: {
      a: { dependsOn: { "./c": { z: "1" } } },
      b: { dependsOn: { "./c": { y: "2" } } },
      c: {},
      d: { dependsOn: { "./c": "v", "./a": true } },
    },
    order: [
      ["./c", { y: "2" }],
      ["./c", { z: "1" }],
      ["./c", "v"],
      ["./a", true],
      ["./a", {}],
      ["./b", {}],
      ["./d", {}],
    ],
  },
];
