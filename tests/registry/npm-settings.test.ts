import { expect, test } from "bun:test";
import { npmRegistryOf } from "../../src/registry/npm-settings.ts";

const of = (name: string, npmrc: string, environment: Record<string, string> = {}) =>
  npmRegistryOf(name, { environment, npmrc });

test("the environment names the registry before the user's file, and a scope has its own", () => {
  const npmrc = "; mine\nregistry = https://npm.example/all\n@openai:registry=https://scope.example/\n";
  expect(of("opencode-linux-x64", npmrc).url).toBe("https://npm.example/all/");
  expect(of("@openai/codex", npmrc).url).toBe("https://scope.example/");
  expect(of("x", npmrc, { npm_config_registry: "http://localhost:4873" }).url).toBe("http://localhost:4873/");
  expect(of("x", "").url).toMatch(/^https:/);
});

test("a token is that of the address or of a folder above it, and may stand in the environment", () => {
  const npmrc = "//npm.example/:_authToken=${TOKEN}\n//other.example/:_authToken=never\n";
  const environment = { npm_config_registry: "https://npm.example/all/", TOKEN: "secret" };
  expect(of("x", npmrc, environment).token).toBe("secret");
  expect(of("x", "//npm.example/all/more/:_authToken=a", environment).token).toBeUndefined();
});
