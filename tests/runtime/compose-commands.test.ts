import { expect, test } from "bun:test";
import { formatCommand } from "../../src/plan/command.ts";
import type { ComposeClient } from "../../src/runtime/compose-client.ts";
import { composeBuild, composeConfig, composeUp } from "../../src/runtime/compose-commands.ts";

const PLUGIN: ComposeClient = { file: "docker", words: ["compose"], env: {}, version: [2, 26] };
const PROGRAM: ComposeClient = {
  file: "docker-compose",
  words: [],
  env: { DOCKER_HOST: "unix:///p" },
  version: [2, 26],
};
const CALL = {
  projectName: "app_devcontainer",
  files: ["/w/a.yml", "/w/b c.yml"],
  envFile: undefined,
  overrideFiles: ["/data/o.yml"],
};

test("a project is read with the services of every profile", () => {
  expect(formatCommand(composeConfig(PLUGIN, CALL))).toBe(
    "docker compose -f /w/a.yml -f '/w/b c.yml' --profile '*' config --format json",
  );
  expect(formatCommand(composeConfig(PROGRAM, { files: ["/w/a.yml"], envFile: "/w/.env" }))).toBe(
    "DOCKER_HOST=unix:///p docker-compose -f /w/a.yml --env-file /w/.env --profile '*' config --format json",
  );
});

test("services are started with the override file last", () => {
  const call = { ...CALL, profiles: [], noRecreate: false, services: [] };
  expect(formatCommand(composeUp(PLUGIN, call))).toBe(
    "docker compose --project-name app_devcontainer -f /w/a.yml -f '/w/b c.yml' -f /data/o.yml up -d",
  );
  const more = { ...call, envFile: "/w/.env", profiles: ["dev"], noRecreate: true, services: ["db", "app"] };
  expect(formatCommand(composeUp(PLUGIN, more))).toBe(
    "docker compose --project-name app_devcontainer -f /w/a.yml -f '/w/b c.yml' -f /data/o.yml --env-file /w/.env --profile dev up -d --no-recreate -- db app",
  );
});

test("a service whose name looks like an option is a service", () => {
  const { args } = composeBuild(PLUGIN, { ...CALL, noCache: true, services: ["--push"] });
  expect(args.slice(-5)).toEqual(["build", "--no-cache", "--pull", "--", "--push"]);
});
