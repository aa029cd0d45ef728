import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import type { JsonValue } from "../../src/json.ts";
import { type ImageConfig, parseContainerDefaults, parseImageConfig } from "../../src/oci/image-config.ts";
import { parsePlatform } from "../../src/oci/platform.ts";

const what = "The config of registry.example/app:1";
const none = { user: "", env: [], entrypoint: [], command: [], labels: {}, workingDirectory: "" };

function parse(document: JsonValue): ImageConfig {
  return parseImageConfig(new TextEncoder().encode(JSON.stringify(document)), what);
}

test("an image's config says how its containers start and what they run on", () => {
  const config = {
    User: "node",
    Env: ["PATH=/bin", "A=b=c"],
    Entrypoint: ["/entry"],
    Cmd: ["sh", "-c"],
    Labels: { "devcontainer.metadata": "[]" },
    WorkingDir: "/w",
    ExposedPorts: { "80/tcp": {} },
  };
  expect(parse({ os: "linux", architecture: "arm64", variant: "v8", config, rootfs: {}, history: [] })).toEqual({
    platform: parsePlatform("linux/arm64"),
    user: "node",
    env: ["PATH=/bin", "A=b=c"],
    entrypoint: ["/entry"],
    command: ["sh", "-c"],
    labels: { "devcontainer.metadata": "[]" },
    workingDirectory: "/w",
  });
});

test("everything about starting a container may be absent or null", () => {
  const platform = parsePlatform("linux/amd64");
  expect(parse({ os: "linux", architecture: "amd64" })).toEqual({ ...none, platform });
  expect(parse({ os: "linux", architecture: "amd64", config: null })).toEqual({ ...none, platform });
  const config = { User: null, Env: null, Entrypoint: null, Cmd: null, Labels: null, WorkingDir: null };
  expect(parse({ os: "linux", architecture: "amd64", config })).toEqual({ ...none, platform });
});

test("an entrypoint written as one string is one word", () => {
  expect(parseContainerDefaults({ Entrypoint: "/entry point" }, what).entrypoint).toEqual(["/entry point"]);
  expect(parseContainerDefaults(null, what)).toEqual(none);
});

test("a config without platform or with values of the wrong type is refused, and the wrong part named", () => {
  expect(() => parse({ config: {} })).toThrow(UserError);
  expect(() => parse({ os: "linux", architecture: "amd64", config: { Env: [1] } })).toThrow(
    `${what} is not valid: config.Env`,
  );
});
