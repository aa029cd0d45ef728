import { expect, test } from "bun:test";
import { type ComposeFilesPlace, composeFilesOf } from "../../src/compose/compose-files.ts";

function place(changes: Partial<ComposeFilesPlace> & { readonly there?: readonly string[] } = {}): ComposeFilesPlace {
  return {
    configPath: "/work/app/.devcontainer/devcontainer.json",
    workspaceFolder: "/work/app",
    environment: {},
    dotEnv: undefined,
    exists: (path) => (changes.there ?? []).includes(path),
    ...changes,
  };
}

test("files are relative to the configuration and keep their order", () => {
  expect(composeFilesOf("compose.yml", place()).files).toEqual(["/work/app/.devcontainer/compose.yml"]);
  expect(composeFilesOf(["../docker-compose.yml", "/etc/base.yml", "more/a.yml"], place()).files).toEqual([
    "/work/app/docker-compose.yml",
    "/etc/base.yml",
    "/work/app/.devcontainer/more/a.yml",
  ]);
});

test("named files leave the environment and .env out of it", () => {
  const asked = place({ environment: { COMPOSE_FILE: "other.yml" }, dotEnv: "COMPOSE_FILE=third.yml" });
  expect(composeFilesOf("a.yml", asked)).toEqual({ files: ["/work/app/.devcontainer/a.yml"], envFile: undefined });
});

test("an empty list means COMPOSE_FILE of the environment, relative to the workspace", () => {
  const asked = place({ environment: { COMPOSE_FILE: "a.yml:sub/b.yml::/c.yml" }, dotEnv: "COMPOSE_FILE=third.yml" });
  expect(composeFilesOf([], asked)).toEqual({
    files: ["/work/app/a.yml", "/work/app/sub/b.yml", "/c.yml"],
    envFile: "/work/app/.env",
  });
});

test("an empty list means COMPOSE_FILE of .env next, by its own separator", () => {
  const dotEnv = "# files\nexport COMPOSE_FILE=\"a.yml;b.yml\"\nCOMPOSE_PATH_SEPARATOR=';'\n";
  expect(composeFilesOf([], place({ dotEnv })).files).toEqual(["/work/app/a.yml", "/work/app/b.yml"]);
  expect(composeFilesOf([], place({ dotEnv: "COMPOSE_FILE=\n" })).files).toEqual(["/work/app/docker-compose.yml"]);
});

test("an empty list without a word means docker-compose.yml and its override", () => {
  expect(composeFilesOf([], place())).toEqual({ files: ["/work/app/docker-compose.yml"], envFile: undefined });
  const there = ["docker-compose.yml", "docker-compose.override.yml", "compose.yaml"].map(
    (file) => `/work/app/${file}`,
  );
  expect(composeFilesOf([], place({ there })).files).toEqual([
    "/work/app/docker-compose.yml",
    "/work/app/docker-compose.override.yml",
  ]);
});

test("where there is no docker-compose.yml Compose's other names count, with their own override", () => {
  const there = ["compose.yml", "compose.override.yml", "docker-compose.override.yml"].map(
    (file) => `/work/app/${file}`,
  );
  expect(composeFilesOf([], place({ there })).files).toEqual([
    "/work/app/compose.yml",
    "/work/app/compose.override.yml",
  ]);
});
