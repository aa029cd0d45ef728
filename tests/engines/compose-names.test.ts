import { expect, test } from "bun:test";
import { describeCompose, openComposeScene } from "./compose-scene.ts";
import { BASE_IMAGE } from "./engines.ts";
import type { Files } from "./workspace.ts";

describeCompose((engine) => {
  const scene = openComposeScene(engine);
  const dockerfile = { Dockerfile: `FROM ${BASE_IMAGE}\n` };
  const config = (dockerComposeFile: string | readonly string[]): Files => ({
    ".devcontainer/devcontainer.json": { json: { dockerComposeFile, service: "app" } },
  });
  const build = { services: { app: { build: { context: "..", dockerfile: "Dockerfile" } } } };
  const buildHere = { services: { app: { build: "." } } };
  const id = scene.id;

  const cases: readonly (readonly [string, Files, string, Readonly<Record<string, string>>?])[] = [
    [
      "files in .devcontainer",
      { ...config("compose.yml"), ".devcontainer/compose.yml": { json: build } },
      "FOLDER_devcontainer",
    ],
    ["files in the workspace", { ...config("../compose.yml"), "compose.yml": { json: buildHere } }, "FOLDER"],
    [
      "files in a folder of their own, the first of them",
      {
        ...config([`../Deploy.${id}/base.yml`, "more.yml"]),
        [`Deploy.${id}/base.yml`]: { json: build },
        ".devcontainer/more.yml": { json: { services: { app: { command: "true" } } } },
      },
      `deploy${id}`,
    ],
    [
      "a name in a later file",
      {
        ...config(["compose.yml", "named.yml"]),
        ".devcontainer/compose.yml": { json: build },
        ".devcontainer/named.yml": `name: named-\${SUFFIX:-${id}}\nservices: {}\n`,
      },
      `named-${id}`,
    ],
    [
      "COMPOSE_PROJECT_NAME in the environment",
      { ...config("compose.yml"), ".devcontainer/compose.yml": { json: { name: "unused", ...build } } },
      `from-env-${id}`,
      { COMPOSE_PROJECT_NAME: `from-env-${id}` },
    ],
    [
      "COMPOSE_PROJECT_NAME in the workspace's .env",
      {
        ...config("compose.yml"),
        ".devcontainer/compose.yml": { json: { name: "unused", ...build } },
        ".env": `OTHER=1\nCOMPOSE_PROJECT_NAME=from-file-${id}\n`,
      },
      `from-file-${id}`,
    ],
    [
      "COMPOSE_PROJECT_NAME in the project's own .env",
      {
        ...config("compose.yml"),
        ".devcontainer/compose.yml": { json: build },
        ".devcontainer/.env": `COMPOSE_PROJECT_NAME=beside-${id}\n`,
      },
      `beside-${id}`,
    ],
    ["no file named", { ...config([]), "docker-compose.yml": { json: buildHere } }, "FOLDER"],
    [
      "files of COMPOSE_FILE in the workspace's .env",
      {
        ...config([]),
        [`sub${id}/one.yml`]: { json: build },
        "two.yml": { json: { services: { app: { command: "true" } } } },
        ".env": `COMPOSE_FILE=sub${id}/one.yml:two.yml\n`,
      },
      `sub${id}`,
    ],
  ];

  test.each(cases)("%s: the project is called as the reference CLI calls it", async (_, files, expected, env = {}) => {
    const folder = scene.workspace({ ...files, ...dockerfile });
    const project = expected.replace("FOLDER", folder.split("/").at(-1) ?? "");
    scene.remember(project);
    const ours = await scene.cooper("build", folder, { env });
    const theirs = await scene.reference("build", folder, { env });
    expect(ours.outcome.imageName).toBe(`${project}-app`);
    expect(theirs.outcome.imageName).toBe(`${project}-app`);
  });
});
