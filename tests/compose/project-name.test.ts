import { expect, test } from "bun:test";
import { type ProjectNamePlace, projectNameOf, serviceImageName } from "../../src/compose/project-name.ts";

function nameOf(changes: Partial<ProjectNamePlace>): string {
  return projectNameOf({
    environment: {},
    dotEnv: undefined,
    resolvedName: "devcontainer",
    files: [{ path: "/work/App/.devcontainer/compose.yml", text: "services: {}\n" }],
    workspaceFolder: "/work/App",
    ...changes,
  });
}

test("files in .devcontainer make a project called after the workspace", () => {
  expect(nameOf({})).toBe("app_devcontainer");
  expect(nameOf({ resolvedName: undefined })).toBe("app_devcontainer");
});

test("COMPOSE_PROJECT_NAME of the environment is above all, then that of .env", () => {
  const dotEnv = "COMPOSE_PROJECT_NAME=from-file\n";
  expect(nameOf({ environment: { COMPOSE_PROJECT_NAME: "From Env" }, dotEnv, resolvedName: "other" })).toBe("fromenv");
  expect(nameOf({ environment: { COMPOSE_PROJECT_NAME: "" }, dotEnv, resolvedName: "other" })).toBe("from-file");
});

test("the name that Compose resolved counts, unless it is the folder's", () => {
  expect(nameOf({ resolvedName: "my_project" })).toBe("my_project");
  const file = (text: string) => [{ path: "/work/App/.devcontainer/compose.yml", text }];
  expect(nameOf({ files: file("name: devcontainer\nservices: {}\n") })).toBe("devcontainer");
  expect(nameOf({ files: file('services: {}\n"name" : "${NAME}"\n') })).toBe("devcontainer");
  expect(nameOf({ files: file('{"name": "devcontainer", "services": {}}') })).toBe("devcontainer");
  expect(nameOf({ files: file("services:\n  app:\n    name: devcontainer\n") })).toBe("app_devcontainer");
  expect(nameOf({ files: file("# name: devcontainer\nname:\n") })).toBe("app_devcontainer");
});

test("a name that a later file declares counts too", () => {
  const files = [
    { path: "/work/App/.devcontainer/a.yml", text: "services: {}\n" },
    { path: "/work/App/.devcontainer/b.yml", text: "name: devcontainer\n" },
  ];
  expect(nameOf({ files })).toBe("devcontainer");
});

test("files elsewhere make a project called after their folder", () => {
  const files = [{ path: "/work/App/Docker Files/compose.yml", text: "" }];
  expect(nameOf({ resolvedName: undefined, files })).toBe("dockerfiles");
  expect(nameOf({ resolvedName: undefined, files: [] })).toBe("app");
});

test("a name begins with what Compose lets it begin with", () => {
  expect(
    nameOf({ resolvedName: undefined, workspaceFolder: "/work/App", files: [{ path: "/srv/_-Data/c.yml", text: "" }] }),
  ).toBe("data");
});

test("the separator of an image's name changed with Compose 2.8", () => {
  expect(serviceImageName("app", "web", [2, 8])).toBe("app-web");
  expect(serviceImageName("app", "web", [5, 0])).toBe("app-web");
  expect(serviceImageName("app", "web", [2, 7])).toBe("app_web");
  expect(serviceImageName("app", "web", [1, 29])).toBe("app_web");
});
