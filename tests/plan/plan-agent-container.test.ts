import { expect, test } from "bun:test";
import { findAgent } from "../../src/agent/choose-variant.ts";
import { mergeSettings } from "../../src/agent/settings.ts";
import { agentRunArgs, agentVolumeArgs } from "../../src/plan/agent-container.ts";
import { type AgentContainerInput, planAgentContainer } from "../../src/plan/plan-agent-container.ts";

const { settings } = mergeSettings([], { isInside: () => true });
const INPUT: AgentContainerInput = {
  agent: findAgent("opencode"),
  version: "1.2.3",
  image: "ocx:1.2.3",
  user: { name: "ada", uid: 1000, gid: 1000, home: "/home/ada", passwd: undefined, group: undefined },
  settings,
  workspace: "/src/app",
  target: "/workspace/src/app",
  name: "ocx-app-40000",
  port: 40000,
  configFolder: "/home/host/.config/opencode",
  rgignore: undefined,
  envFiles: [{ path: "/src/app/ocx.env", names: ["A"] }],
  forbidden: [
    { path: "secrets", kind: "directory" },
    { path: ".env", kind: "file" },
  ],
  guarded: [
    { path: ".git/hooks", kind: "directory" },
    { path: "cooper.jsonc", kind: "file" },
  ],
  volumes: "ocx-git-a",
  host: {
    engine: "docker",
    linux: true,
    rootless: false,
    init: true,
    terminal: false,
    localtime: true,
    slirp: true,
    environment: ["PATH", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "ANTHROPIC_API_KEY"],
  },
  words: ["run", "--version"],
};

const LABELS = "volume-label=dev.cooper.agent.volumes=ocx-git-a,volume-label=dev.cooper.agent.workspace=/src/app";

test("an agent's container is run with these arguments", () => {
  expect(agentRunArgs(planAgentContainer(INPUT))).toEqual([
    ..."run --rm -i --init --pull=never --name=ocx-app-40000 --user=1000:1000 --cap-drop=ALL".split(" "),
    ..."--security-opt=no-new-privileges --network=bridge --memory=1024m --cpus=1 --pids-limit=100".split(" "),
    "--add-host=host.docker.internal:host-gateway",
    "--publish=127.0.0.1:40000:80",
    ..."--tmpfs /tmp:rw,exec,nosuid,nodev,size=500m,mode=1777".split(" "),
    ..."--tmpfs /workspace/tmp:rw,exec,nosuid,nodev,size=500m,mode=1777".split(" "),
    "--mount",
    `type=volume,source=ocx-git-a-cache,target=/home/ada/.cache,${LABELS}`,
    "--mount",
    `type=volume,source=ocx-git-a-local,target=/home/ada/.local,${LABELS}`,
    ..."--mount type=bind,source=/home/host/.config/opencode,target=/home/ada/.config/opencode".split(" "),
    ..."--mount type=bind,source=/etc/localtime,target=/etc/localtime,readonly".split(" "),
    ..."--mount type=bind,source=/src/app,target=/workspace/src/app".split(" "),
    ..."--mount type=bind,source=/src/app/.git,target=/workspace/src/app/.git".split(" "),
    ..."--mount type=bind,source=/src/app/.git/hooks,target=/workspace/src/app/.git/hooks,readonly".split(" "),
    ..."--mount type=bind,source=/src/app/cooper.jsonc,target=/workspace/src/app/cooper.jsonc,readonly".split(" "),
    ..."--tmpfs /workspace/src/app/secrets:ro,noexec,nosuid,nodev,size=1k,mode=000".split(" "),
    ..."--mount type=bind,source=/dev/null,target=/workspace/src/app/.env,readonly".split(" "),
    "--env-file=/src/app/ocx.env",
    ..."--env=HOME=/home/ada --env=USER=ada --env=TERM=xterm-256color --env=COLORTERM=truecolor".split(" "),
    ..."--env=TMPDIR=/workspace/tmp --env=TZ=UTC --env=ANTHROPIC_API_KEY --env=OPENAI_API_KEY".split(" "),
    "--label=dev.cooper.agent=opencode",
    "--label=dev.cooper.agent.version=1.2.3",
    "--label=dev.cooper.agent.workspace=/src/app",
    "--workdir=/workspace/src/app",
    "--entrypoint=",
    ..."ocx:1.2.3 opencode run --version".split(" "),
  ]);
});

test("rootless Podman keeps the caller's ids, goes without SELinux's label and names the host by itself", () => {
  const args = agentRunArgs(
    planAgentContainer({ ...INPUT, host: { ...INPUT.host, engine: "podman", rootless: true } }),
  );
  expect(args).toContain("--userns=keep-id");
  expect(args).toContain("--security-opt=label=disable");
  expect(args.join(" ")).not.toContain("--add-host");
  // Without this it copies what is to be hidden into what hides it.
  expect(args).toContain("/workspace/src/app/secrets:ro,noexec,nosuid,nodev,size=1k,mode=000,notmpcopyup");
});

test("a worktree's .git file cannot be changed either", () => {
  const guarded = [{ path: ".git", kind: "file" } as const];
  const args = agentRunArgs(planAgentContainer({ ...INPUT, guarded }));
  expect(args).toContain("type=bind,source=/src/app/.git,target=/workspace/src/app/.git,readonly");
});

test("the folders around what is guarded are mounts too, and what is forbidden needs no guard", () => {
  const guarded = ["sub/deep/.git", ".husky/_", "secrets/hooks", ".devcontainer"].map(
    (path) => ({ path, kind: "directory" }) as const,
  );
  const { mounts } = planAgentContainer({ ...INPUT, guarded });
  const inProject = mounts.flatMap((mount) =>
    mount.kind === "bind" && mount.source.startsWith("/src/app/")
      ? [`${mount.source.slice(9)} ${mount.readOnly ? "ro" : "rw"}`]
      : [],
  );
  expect(inProject).toEqual([
    ".devcontainer ro",
    ".husky rw",
    ".husky/_ ro",
    "sub rw",
    "sub/deep rw",
    "sub/deep/.git ro",
  ]);
});

test("what a user adds to the allow-list is handed in by name, and only that", () => {
  const container = planAgentContainer({
    ...INPUT,
    settings: { ...settings, env_passthrough: ["AWS_SECRET_ACCESS_KEY"] },
  });
  expect(container.passedEnv).toEqual(["ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY"]);
});

test("a path with a comma stays one path", () => {
  const args = agentRunArgs(planAgentContainer({ ...INPUT, workspace: "/src/a,readonly=false", guarded: [] }));
  expect(args).toContain('type=bind,"source=/src/a,readonly=false",target=/workspace/src/app');
});

test("an env file whose name has a comma is one file for both engines", () => {
  const envFiles = [{ path: "/src/app/x,/root/.aws/credentials", names: [] }];
  const word = (engine: "docker" | "podman") =>
    agentRunArgs(planAgentContainer({ ...INPUT, envFiles, host: { ...INPUT.host, engine } })).find((arg) =>
      arg.startsWith("--env-file"),
    );
  expect(word("docker")).toBe("--env-file=/src/app/x,/root/.aws/credentials");
  expect(word("podman")).toBe('--env-file="/src/app/x,/root/.aws/credentials"');
});

test("a folder with a colon is covered as a whole", () => {
  const forbidden = [{ path: "a:b", kind: "directory" } as const];
  const covered = (engine: "docker" | "podman") =>
    agentRunArgs(planAgentContainer({ ...INPUT, forbidden, host: { ...INPUT.host, engine } })).filter((word) =>
      word.includes("a:b"),
    );
  const record = "type=tmpfs,target=/workspace/src/app/a:b,ro,tmpfs-size=1k,tmpfs-mode=000";
  expect(covered("docker")).toEqual([record]);
  expect(covered("podman")).toEqual([`${record},notmpcopyup`]);
});

test("where the image's files cannot be changed, both engines have the same folders that can be written to", () => {
  const targets = (engine: "docker" | "podman") =>
    planAgentContainer({
      ...INPUT,
      forbidden: [],
      settings: { ...settings, read_only: true },
      host: { ...INPUT.host, engine },
    }).mounts.flatMap((mount) => (mount.kind === "tmpfs" ? [mount.target] : []));
  expect(targets("docker")).toEqual(["/tmp", "/workspace/tmp", "/run", "/var/tmp"]);
  expect(targets("podman")).toEqual(targets("docker"));
});

test("Podman hands in no proxies of the caller, which may hold passwords", () => {
  const container = planAgentContainer({ ...INPUT, host: { ...INPUT.host, engine: "podman" } });
  expect(agentRunArgs(container)).toContain("--http-proxy=false");
  expect(agentRunArgs(planAgentContainer(INPUT)).join(" ")).not.toContain("--http-proxy");
});

test("Podman, whose run labels no volume, makes them before it", () => {
  const container = planAgentContainer({ ...INPUT, host: { ...INPUT.host, engine: "podman" } });
  expect(agentRunArgs(container).join(" ")).not.toContain("volume-label");
  const labels = ["--label=dev.cooper.agent.volumes=ocx-git-a", "--label=dev.cooper.agent.workspace=/src/app"];
  expect(agentVolumeArgs(container)).toEqual([
    ["volume", "create", ...labels, "ocx-git-a-cache"],
    ["volume", "create", ...labels, "ocx-git-a-local"],
  ]);
  expect(agentVolumeArgs(planAgentContainer(INPUT))).toEqual([]);
});
