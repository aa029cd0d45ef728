// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of their own.
import { expect, test } from "bun:test";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { resolveBaseImage } from "../../src/dockerfile/resolve-base-image.ts";
import { platformArguments } from "../../src/dockerfile/stage-variables.ts";
import { parsePlatform } from "../../src/oci/platform.ts";

function baseOf(text: string, query: Parameters<typeof resolveBaseImage>[1] = {}): string {
  return resolveBaseImage(parseDockerfile(text, "Dockerfile"), query).baseReference;
}

const threeStages = "FROM debian:12 AS base\nFROM node:22 AS Tools\nFROM base\n";

test("the last stage is built unless a target is named", () => {
  expect(baseOf(threeStages)).toBe("debian:12");
  expect(baseOf(threeStages, { target: "" })).toBe("debian:12");
  expect(baseOf(threeStages, { target: "Tools" })).toBe("node:22");
});

test("stage names are compared without regard to case", () => {
  expect(baseOf(threeStages, { target: "tools" })).toBe("node:22");
  expect(baseOf("FROM debian AS Foo\nFROM foo\n")).toBe("debian");
});

test("a target may be a stage's number, but a name wins", () => {
  expect(baseOf(threeStages, { target: "1" })).toBe("node:22");
  expect(resolveBaseImage(parseDockerfile(threeStages, "Dockerfile"), { target: "2" }).stage.index).toBe(2);
});

test("of two stages with one name the later is the target, and the nearer before it the base", () => {
  const text = "FROM a:1 AS x\nFROM x AS x\nFROM b:1 AS x\n";
  expect(baseOf(text, { target: "x" })).toBe("b:1");
  expect(baseOf(text, { target: "1" })).toBe("a:1");
});

test("a stage that is named later or by itself is an image", () => {
  expect(baseOf("FROM b AS a\nFROM scratch AS b\n", { target: "a" })).toBe("b");
  expect(baseOf("FROM alpine AS alpine\n")).toBe("alpine");
});

test("scratch is a base like any other", () => {
  expect(baseOf("FROM scratch\n")).toBe("scratch");
});

test("variables in FROM come from the global ARGs, build arguments and the builder", () => {
  const text = 'ARG NAME=debian\nARG TAG\nFROM "${NAME}:${TAG:-12}"\n';
  expect(baseOf(text)).toBe("debian:12");
  expect(baseOf(text, { buildArgs: { TAG: "13", NAME: "ubuntu" } })).toBe("ubuntu:13");
  expect(baseOf("ARG V=22.1.0\nFROM node:${V%%.*}\n")).toBe("node:22");
  const builder = platformArguments({ build: parsePlatform("linux/amd64"), target: parsePlatform("linux/arm64") });
  expect(baseOf("FROM app-$TARGETARCH:$BUILDARCH\n", { platformArguments: builder })).toBe("app-arm64:amd64");
});

test("a build argument that no global ARG names does not reach FROM", () => {
  expect(baseOf("FROM debian$X\n", { buildArgs: { X: "foo" } })).toBe("debian");
});

test("the platform that FROM asks for is reported with variables replaced", () => {
  const builder = platformArguments({ build: parsePlatform("linux/amd64"), target: parsePlatform("linux/arm/v7") });
  const model = parseDockerfile("from --platform=$BUILDPLATFORM x:1 as y\nFROM y\nFROM z\n", "Dockerfile");
  expect(resolveBaseImage(model, { target: "1", platformArguments: builder }).basePlatform).toBe("linux/amd64");
  expect(resolveBaseImage(model, { target: "2", platformArguments: builder }).basePlatform).toBeUndefined();
});

test("the builder's variables name both platforms in full", () => {
  expect(platformArguments({ build: parsePlatform("linux/amd64"), target: parsePlatform("linux/arm/v7") })).toEqual({
    BUILDPLATFORM: "linux/amd64",
    BUILDOS: "linux",
    BUILDARCH: "amd64",
    BUILDVARIANT: "",
    TARGETPLATFORM: "linux/arm/v7",
    TARGETOS: "linux",
    TARGETARCH: "arm",
    TARGETVARIANT: "v7",
  });
});

test("an unknown target is an error that names the stages there are", () => {
  expect(() => baseOf(threeStages, { target: "dev" })).toThrow(
    'Dockerfile: no build stage "dev" found; its stages are base, Tools, 2 (unnamed).',
  );
  expect(() => baseOf(threeStages, { target: "3" })).toThrow('no build stage "3" found');
});

test("a FROM that expands to nothing is an error at its line", () => {
  expect(() => baseOf("ARG X\n\nFROM ${X}\n")).toThrow('Dockerfile:3: the image of "FROM ${X}" expands to nothing.');
});
