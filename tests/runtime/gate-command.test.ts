import { expect, test } from "bun:test";
import { gateCommand } from "../../src/runtime/gate-command.ts";

const GATE = {
  name: "cooper-gate-1",
  image: "patchfoundry/x:latest",
  repository: "/src/repo",
  command: "python -m pytest && echo $HOME",
  login: true,
  kept: [],
};

test("a gate is one argument of the shell, in the repository, in a container that is there until it is removed", () => {
  expect(gateCommand("docker", GATE)).toEqual({
    file: "docker",
    args: [
      ...["run", "--name", "cooper-gate-1", "--pull", "never", "--security-opt", "label=disable"],
      ...["--mount", "type=bind,source=/src/repo,target=/workspace", "--workdir", "/workspace"],
      ...["--entrypoint", "/bin/sh", "patchfoundry/x:latest", "-lc", "python -m pytest && echo $HOME"],
    ],
    env: {},
  });
});

test("a folder's name cannot add to the mount", () => {
  const { args } = gateCommand("docker", { ...GATE, repository: '/src/a,readonly,"b"' });
  expect(args).toContain('type=bind,"source=/src/a,readonly,""b""",target=/workspace');
});

test("what the image has below the repository stays in sight where that is asked for", () => {
  const { args } = gateCommand("docker", { ...GATE, login: false, kept: ["node_modules"] });
  expect(args).toContain("/workspace/node_modules");
  expect(args.at(-2)).toBe("-c");
});
