import { expect, test } from "bun:test";
import { formatCommand } from "../../src/plan/command.ts";
import { execCommand } from "../../src/runtime/exec-command.ts";

test("options come in one order: stdin, terminal, user, folder, variables, container, command", () => {
  const command = execCommand("docker", {
    container: "abc",
    command: ["ls", "-l"],
    user: "vscode:users",
    workingDirectory: "/workspaces/demo",
    env: { FOO: "bar" },
    stdin: true,
    terminal: true,
  });
  expect(command).toEqual({
    file: "docker",
    args: ["exec", "-i", "-t", "-u", "vscode:users", "-w", "/workspaces/demo", "-e", "FOO", "abc", "ls", "-l"],
    env: { FOO: "bar" },
  });
});

test("what is not asked for is not said", () => {
  expect(formatCommand(execCommand("podman", { container: "abc", command: ["true"] }))).toBe("podman exec abc true");
});

test("values are in the client's environment, not in its argv", () => {
  const { args, env } = execCommand("docker", {
    container: "abc",
    command: ["true"],
    env: { TOKEN: "canary", "with.dot": "canary", EMPTY: "" },
  });
  expect(args.join(" ")).toBe("exec -e TOKEN -e with.dot -e EMPTY abc true");
  expect(env).toEqual({ TOKEN: "canary", "with.dot": "canary", EMPTY: "" });
});

test("paths and settings of the session are said in the argv, so that the client keeps its own", () => {
  const { args, env } = execCommand("docker", {
    container: "abc",
    command: ["true"],
    env: { PATH: "/opt/bin:/bin", HOME: "/home/vscode", LC_ALL: "C" },
  });
  expect(args).toEqual([
    "exec",
    "-e",
    "PATH=/opt/bin:/bin",
    "-e",
    "HOME=/home/vscode",
    "-e",
    "LC_ALL=C",
    "abc",
    "true",
  ]);
  expect(env).toEqual({});
});

test.each([
  "DOCKER_HOST",
  "DOCKER_CONFIG",
  "CONTAINER_HOST",
  "CONTAINERS_CONF",
  "_CONTAINERS_USERNS_CONFIGURED",
  "LD_PRELOAD",
  "HTTPS_PROXY",
  "no_proxy",
  "SSH_AUTH_SOCK",
  "SSL_CERT_FILE",
  "GODEBUG",
  "BASH_ENV",
  "PYTHONPATH",
  "KUBECONFIG",
])("%s would mean something to the client and gets its name in the container", (name) => {
  const command = execCommand("docker", { container: "abc", command: ["id", "-u"], env: { [name]: "it's $HOME" } });
  expect(command).toEqual({
    file: "docker",
    args: [
      "exec",
      "-e",
      "COOPER_ENV_0",
      "abc",
      "/bin/sh",
      "-c",
      `export ${name}="$COOPER_ENV_0"; unset COOPER_ENV_0; exec "$@"`,
      "sh",
      "id",
      "-u",
    ],
    env: { COOPER_ENV_0: "it's $HOME" },
  });
});

test.each(["GOPATH", "KUBERNETES_PORT", "CONTAINER", "ENVIRONMENT", "RESOLVE", "GITHUB_TOKEN", "NODE_ENV"])(
  "%s means nothing to the client and needs no shell in the container",
  (name) => {
    const { args, env } = execCommand("docker", { container: "abc", command: ["true"], env: { [name]: "x" } });
    expect(args).toEqual(["exec", "-e", name, "abc", "true"]);
    expect(env).toEqual({ [name]: "x" });
  },
);

test("a secret is in no argv, whatever it is called", () => {
  const { args, env } = execCommand("docker", {
    container: "abc",
    command: ["true"],
    env: { HOME: "/root" },
    secretEnv: { PATH: "canary", TOKEN: "canary", DOCKER_HOST: "canary" },
  });
  expect(args.join(" ")).not.toContain("canary");
  expect(Object.values(env)).toEqual(["canary", "canary", "canary"]);
  expect(Object.keys(env)).toEqual(["TOKEN", "COOPER_ENV_0", "COOPER_ENV_1"]);
});

test("a variable of the container's own is taken away in the container", () => {
  const { args } = execCommand("podman", { container: "abc", command: ["env"], unset: ["GONE", "not-a-name"] });
  expect(args).toEqual(["exec", "abc", "/bin/sh", "-c", 'unset GONE; exec "$@"', "sh", "env"]);
});

test.each(["BASH_FUNC_which%%", "SHELLOPTS", "FOO*", "two words", "line\nbreak", ""])(
  "%j is no variable that can be handed over",
  (name) => {
    const { args, env } = execCommand("podman", { container: "abc", command: ["true"], env: { [name]: "x" } });
    expect(args).toEqual(["exec", "abc", "true"]);
    expect(env).toEqual({});
  },
);

test("bytes from no terminal are never taken for the keys that detach", () => {
  const { args } = execCommand("podman", { container: "abc", command: ["cat"], stdin: true });
  expect(args).toEqual(["exec", "-i", "--detach-keys=", "abc", "cat"]);
});
