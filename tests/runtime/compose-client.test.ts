import { expect, test } from "bun:test";
import type { ProcessResult } from "../../src/host/spawn.ts";
import { findComposeClient } from "../../src/runtime/compose-client.ts";
import { createEngine } from "../../src/runtime/engine.ts";

/**
 * An engine whose client, and the programs beside it, answer what the test says; a stand-in, as versions that are too old, and
 * Podman with Compose, are not all to be had on one machine.
 */
function engineThatAnswers(path: string, answers: Readonly<Record<string, string>>) {
  const answer = (line: string): ProcessResult => {
    const stdout = answers[line];
    return stdout === undefined
      ? { exitCode: 125, stdout: "", stderr: "unknown" }
      : { exitCode: 0, stdout, stderr: "" };
  };
  return createEngine(path, async ({ file, args }) => answer([file, ...args].join(" ")));
}

const PLAIN = { composePath: undefined, environment: {} };

test("the client's own compose command comes first", async () => {
  const engine = engineThatAnswers("/opt/docker", {
    "/opt/docker compose version --short": "v2.26.1-4\n",
    "mine version --short": "2.30.0",
  });
  expect(await findComposeClient(engine, { ...PLAIN, composePath: "mine" })).toEqual({
    file: "/opt/docker",
    words: ["compose"],
    env: {},
    version: [2, 26],
  });
});

test("a program beside the client is next, as it was named", async () => {
  const engine = engineThatAnswers("docker", {
    "mine version --short": "2.7.0",
    "docker-compose version --short": "2.6.0",
    "docker -v": "Docker version 28.5.2, build x",
  });
  expect(await findComposeClient(engine, { ...PLAIN, composePath: "mine" })).toMatchObject({
    file: "mine",
    version: [2, 7],
  });
  expect(await findComposeClient(engine, PLAIN)).toEqual({
    file: "docker-compose",
    words: [],
    env: {},
    version: [2, 6],
  });
});

test("podman's wrapper counts when what it wraps can print JSON", async () => {
  const engine = engineThatAnswers("podman", { "podman compose version --short": "2.40.3" });
  expect(await findComposeClient(engine, PLAIN)).toMatchObject({ file: "podman", words: ["compose"] });
});

test("a program beside podman is told where podman listens", async () => {
  const answers = {
    "podman compose version --short": "1.0.6",
    "docker-compose version --short": "2.40.3",
    "podman -v": "podman version 4.3.1",
  };
  const info = "podman info --format {{.Host.RemoteSocket.Exists}} {{.Host.RemoteSocket.Path}}";
  const listening = engineThatAnswers("podman", { ...answers, [info]: "true /run/user/1000/podman/podman.sock\n" });
  expect((await findComposeClient(listening, PLAIN)).env).toEqual({
    DOCKER_HOST: "unix:///run/user/1000/podman/podman.sock",
  });
  const silent = engineThatAnswers("podman", { ...answers, [info]: "false /run/podman/podman.sock\n" });
  expect((await findComposeClient(silent, { ...PLAIN, environment: { CONTAINER_HOST: "tcp://a:1" } })).env).toEqual({
    DOCKER_HOST: "tcp://a:1",
  });
  expect((await findComposeClient(silent, { ...PLAIN, environment: { DOCKER_HOST: "tcp://b:1" } })).env).toEqual({});
  await expect(findComposeClient(silent, PLAIN)).rejects.toThrow("Podman does not listen on its socket");
});

test("without one that can be used, what was found is told", async () => {
  const none = engineThatAnswers("docker", {});
  await expect(findComposeClient(none, PLAIN)).rejects.toThrow(
    "devcontainer.json needs Docker Compose 2 or newer: docker compose is not there, and docker-compose is not there.",
  );
  const old = engineThatAnswers("docker", { "docker-compose version --short": "1.29.2\n" });
  await expect(findComposeClient(old, PLAIN)).rejects.toThrow(
    "docker compose is not there, and docker-compose is version 1.29, which cannot print a project as JSON.",
  );
});
