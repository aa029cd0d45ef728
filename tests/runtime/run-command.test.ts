import { expect, test } from "bun:test";
import { startScript } from "../../src/dockerfile/start-script.ts";
import type { ContainerSpec } from "../../src/plan/container-spec.ts";
import { runCommand } from "../../src/runtime/run-command.ts";

const SPEC: ContainerSpec = {
  image: "debian:bookworm-slim",
  publish: ["127.0.0.1:18761:18761", "18762:80"],
  mounts: ["type=bind,source=/p,target=/workspaces/p", "type=volume,src=b,dst=/b"],
  externalVolumes: ["b"],
  labels: [
    ["devcontainer.local_folder", "/p"],
    ["devcontainer.config_file", "/p/.devcontainer/devcontainer.json"],
  ],
  env: { A: "b c", B: "2" },
  user: "nobody",
  engineArgs: ["--security-opt", "label=disable", "--userns=keep-id"],
  runArgs: ["--hostname", "abc", "-l", "x=y"],
  gpus: true,
  init: true,
  privileged: true,
  capAdd: ["SYS_PTRACE", "NET_ADMIN"],
  securityOpt: ["seccomp=unconfined"],
  entrypoints: ["/init.sh"],
  command: ["bash"],
  metadataLabel: '[{"init":true}]',
};

/** The order that the reference CLI 0.89 emits, but for `-d` in place of its attached streams. */
test("options stand in the reference's order", () => {
  expect(runCommand("docker", SPEC)).toEqual({
    file: "docker",
    args: [
      ...["run", "-d"],
      ...["-p", "127.0.0.1:18761:18761", "-p", "18762:80"],
      ...["--mount", "type=bind,source=/p,target=/workspaces/p", "--mount", "type=volume,src=b,dst=/b"],
      ...["-l", "devcontainer.local_folder=/p", "-l", "devcontainer.config_file=/p/.devcontainer/devcontainer.json"],
      ...["-e", "A=b c", "-e", "B=2"],
      ...["-u", "nobody"],
      ...["--security-opt", "label=disable", "--userns=keep-id"],
      ...["--hostname", "abc", "-l", "x=y"],
      ...["--gpus", "all", "--init", "--privileged"],
      ...["--cap-add", "SYS_PTRACE", "--cap-add", "NET_ADMIN", "--security-opt", "seccomp=unconfined"],
      ...["--entrypoint", "/bin/sh", "-l", 'devcontainer.metadata=[{"init":true}]'],
      ...["debian:bookworm-slim", "-c", startScript(["/init.sh"]), "-", "bash"],
    ],
    env: {},
  });
});

test("what is not asked for leaves no trace", () => {
  const bare: ContainerSpec = {
    ...SPEC,
    publish: [],
    mounts: [],
    env: {},
    user: undefined,
    engineArgs: [],
    runArgs: [],
    gpus: false,
    init: false,
    privileged: false,
    capAdd: [],
    securityOpt: [],
    entrypoints: [],
    command: [],
    metadataLabel: undefined,
    labels: [["a", "b"]],
  };
  expect(runCommand("podman", bare).args).toEqual([
    ...["run", "-d", "-l", "a=b", "--entrypoint", "/bin/sh"],
    ...["debian:bookworm-slim", "-c", startScript([]), "-"],
  ]);
});
