import { expect, test } from "bun:test";
import { requestFeatures } from "../../src/features/requested-features.ts";

const published = "ghcr.io/devcontainers/features/";
const valuesOf = (...args: Parameters<typeof requestFeatures>) =>
  requestFeatures(...args).features.map(({ userId, value }) => [userId, value]);

test("additional Features come last, and never replace one of the configuration", () => {
  const { features, warnings } = requestFeatures({ "./a": "1" }, { "./b": true, "./a": "2" });
  expect(features).toEqual([
    { userId: "./a", value: "1", configured: true },
    { userId: "./b", value: true, configured: false },
  ]);
  expect(warnings).toEqual([]);
});

test("gradle and maven become options of the java Feature that is there, whose version is kept", () => {
  expect(valuesOf({ java: "17", maven: { version: "3" }, gradle: "no" })).toEqual([
    ["java", { version: "17", installMaven: true, installGradle: true }],
  ]);
});

test("of two java Features the first one gets the option", () => {
  expect(valuesOf({ [`${published}java:1`]: { x: "y" }, [`${published}java`]: "x", gradle: {} })).toEqual([
    [`${published}java:1`, { x: "y", installGradle: true }],
    [`${published}java`, "x"],
  ]);
});

test("without a java or python Feature one is added at the end", () => {
  expect(valuesOf({ maven: false, jupyterlab: "2", "./l": {} })).toEqual([
    ["./l", {}],
    [`${published}java:1`, { installMaven: true }],
    [`${published}python:1`, { installJupyterlab: true }],
  ]);
});

test("a merged Feature is warned about, by its own id and its new home", () => {
  expect(requestFeatures({ python: true, jupyterlab: false })).toEqual({
    features: [{ userId: "python", value: { installJupyterlab: true }, configured: true }],
    warnings: [{ kind: "merged", userId: "jupyterlab", target: "python", option: "installJupyterlab" }],
  });
});
