import { expect, test } from "bun:test";
import type { BuildPlan } from "../../src/plan/build-plan.ts";
import { nativeSource } from "../../src/workflows/native-source.ts";

const base = { reference: "debian:12", digest: "sha256:1", platform: "linux/amd64" };

function planOf(text: string): BuildPlan {
  const source = {
    kind: "dockerfile",
    base,
    text,
    stage: "s",
    escapeWith: "\\",
    contextDigest: "",
    buildArgs: {},
    options: [],
    images: {},
  } as const;
  return { version: 1, source, platforms: [], users: { image: "root", container: "root", remote: "root" }, steps: [] };
}

test.each(["FROM debian:12 AS s\n", "# syntax=docker/dockerfile:1\n\nARG V=12\nFROM debian:$V AS s"])(
  "a Dockerfile that only names a base is taken as that base: %j",
  (text) => {
    expect(nativeSource(planOf(text)).base).toEqual(base);
  },
);

test.each([
  "FROM debian:12 AS s\nRUN true\n",
  "FROM debian:12 AS s\nENV A=1\n",
  "FROM debian:12 AS s\nUSER dev\n",
  "FROM debian:11 AS a\nFROM debian:12 AS s\n",
  "FROM debian:12 AS s\nARG A=1\n",
])("a Dockerfile that does more is refused in a sentence that names who can: %j", (text) => {
  expect(() => nativeSource(planOf(text))).toThrow("cooper's own engine builds no Dockerfile: Docker and Podman can.");
});
