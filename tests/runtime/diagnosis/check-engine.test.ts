import { describe, expect, test } from "bun:test";
import { checkEngine } from "../../../src/runtime/diagnosis/check-engine.ts";
import { type EngineChoice, type EngineFacts, usedEngine } from "../../../src/runtime/diagnosis/engine-facts.ts";
import type { Machine } from "../../../src/runtime/diagnosis/machine.ts";
import { docker, machineWith, podman, unreachableDocker } from "./healthy-facts.ts";

const stopped = {
  kind: "not running",
  found: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock",
} as const;

function choiceOf(candidates: readonly EngineFacts[], changes: Partial<EngineChoice> = {}): EngineChoice {
  return { from: "PATH", configurationError: undefined, candidates, others: [], ...changes };
}

function lineOf(choice: EngineChoice, machine = machineWith(["dockerd"])) {
  const [check] = checkEngine(choice, machine);
  return { status: check?.status, detail: check?.detail, remedy: check?.remedy };
}

function remedyOf(engine: EngineFacts, machine: Machine) {
  return lineOf(choiceOf([engine]), machine).remedy;
}

describe("the engine that is used", () => {
  test.each([
    [choiceOf([docker()]), "docker 28.0.1, found on PATH"],
    [choiceOf([docker(), podman()]), "docker 28.0.1, found on PATH before podman"],
    [
      choiceOf([podman()], { from: "flag", others: ["docker"] }),
      "podman 5.4.0, named by --docker-path; docker is there too",
    ],
    [choiceOf([podman()], { from: "environment" }), "podman 5.4.0, named by COOPER_DOCKER_PATH"],
    [choiceOf([podman()], { from: "configuration" }), "podman 5.4.0, named by docker_path in the user's configuration"],
    [choiceOf([docker({ serverVersion: "20.10.5" })]), "docker 28.0.1, engine 20.10.5, found on PATH"],
    [choiceOf([podman({ path: "docker" })]), "docker, which is podman 5.4.0, found on PATH"],
    [
      choiceOf([docker({ endpoint: { kind: "variable", name: "DOCKER_HOST", value: "tcp://build.acme:2376" } })]),
      "docker 28.0.1 at DOCKER_HOST=tcp://build.acme:2376, found on PATH",
    ],
    [
      choiceOf([docker({ endpoint: { kind: "context", name: "colima" } })]),
      "docker 28.0.1 at context colima, found on PATH",
    ],
  ])("is named with its version and why it was chosen (%#)", (choice, detail) => {
    expect(lineOf(choice)).toEqual({ status: "ok", detail, remedy: undefined });
  });

  test("is podman when docker comes first and cannot be reached, which is worth a warning", () => {
    const choice = choiceOf([unreachableDocker(stopped), podman()]);
    expect(usedEngine(choice)?.path).toBe("podman");
    expect(lineOf(choice)).toEqual({
      status: "warning",
      detail:
        "podman 5.4.0, because docker comes first and is not running (Cannot connect to the Docker daemon at unix:///var/run/docker.sock)",
      remedy:
        "Start it:\n  sudo systemctl enable --now docker\nOr choose outright:\n  export COOPER_DOCKER_PATH=podman",
    });
  });

  test("is none when the first choice hangs or fails: a command would not go on to the next", () => {
    expect(usedEngine(choiceOf([unreachableDocker({ kind: "silent", seconds: 10 }), podman()]))).toBeUndefined();
    expect(usedEngine(choiceOf([unreachableDocker({ kind: "failed", found: "panic" }), podman()]))).toBeUndefined();
  });
});

test("no engine at all is a problem, and the remedy is the machine's own", () => {
  expect(lineOf(choiceOf([])).remedy).toContain("\n  sudo apt-get install podman");
  const mac = machineWith([], { platform: "darwin", programs: new Set(["brew"]) });
  expect(lineOf(choiceOf([]), mac).remedy).toContain("\n  brew install podman\n  podman machine init --now");
  const root = machineWith([], { user: { name: "root", id: 0 } });
  expect(lineOf(choiceOf([]), root).remedy).toContain("\n  apt-get install podman");
});

test("a mistyped --docker-path is told what it may have meant", () => {
  const engine = unreachableDocker({ kind: "not installed" }, { path: "podmn", kind: "unknown" });
  expect(lineOf(choiceOf([engine], { from: "flag", others: ["podman"] }), machineWith(["podman"]))).toEqual({
    status: "problem",
    detail: "podmn (named by --docker-path) is no program that can be run here",
    remedy: "Did you mean podman?",
  });
});

test("a program that is no engine's client is told from an engine that fails", () => {
  const program = unreachableDocker({ kind: "failed", found: "exit code 1" }, { path: "/bin/false", kind: "unknown" });
  expect(lineOf(choiceOf([program], { from: "environment" })).detail).toBe(
    "/bin/false (named by COOPER_DOCKER_PATH) is neither docker nor podman (/bin/false -v: exit code 1)",
  );
  const failing = podman({ state: { kind: "failed", found: "database is locked" }, info: undefined });
  expect(lineOf(choiceOf([failing]))).toEqual({
    status: "problem",
    detail: "podman fails: database is locked",
    remedy: "See for yourself:\n  podman info",
  });
});

test("a configuration that cannot be read is a problem of its own, before the engine", () => {
  const configurationError = { message: "Could not read config.jsonc", hint: "It holds a JSON object." };
  const [first, second] = checkEngine(choiceOf([docker()], { configurationError }), machineWith());
  expect(first).toEqual({
    id: "configuration",
    title: "Configuration",
    status: "problem",
    detail: "Could not read config.jsonc",
    remedy: "It holds a JSON object.",
  });
  expect(second?.status).toBe("ok");
});

describe("a stopped engine", () => {
  const engine = unreachableDocker(stopped);
  const withoutDaemon = { programs: new Set(["apt-get", "sudo"]) };
  test.each([
    ["by systemd", machineWith(["dockerd"]), "Start it:\n  sudo systemctl enable --now docker"],
    [
      "by the user's systemd",
      machineWith(["dockerd"], { serviceManager: "systemd-user" }),
      "Start it:\n  systemctl --user enable --now docker",
    ],
    ["by OpenRC", machineWith(["dockerd"], { serviceManager: "openrc" }), "Start it:\n  sudo rc-service docker start"],
    [
      "by an init script",
      machineWith(["dockerd"], { serviceManager: "sysv" }),
      "Start it:\n  sudo service docker start",
    ],
    [
      "by hand",
      machineWith([], { serviceManager: "none", programs: new Set(["dockerd"]) }),
      'Start it:\n  su -c "dockerd"',
    ],
    [
      "inside Windows",
      machineWith([], { ...withoutDaemon, wsl: true }),
      "Start Docker Desktop on Windows, with WSL integration switched on for this distribution.",
    ],
    ["on Windows", machineWith([], { platform: "win32" }), "Start Docker Desktop."],
    ["on a Mac with Colima", machineWith(["colima"], { platform: "darwin" }), "Start it:\n  colima start"],
    [
      "on a Mac with OrbStack",
      machineWith([], { platform: "darwin", applications: new Set(["OrbStack"]) }),
      "Start it:\n  open -a OrbStack",
    ],
    [
      "on a Mac with Rancher",
      machineWith([], { platform: "darwin", applications: new Set(["Rancher Desktop"]) }),
      'Start it:\n  open -a "Rancher Desktop"',
    ],
  ])("is started %s", (_how, machine, remedy) => {
    expect(remedyOf(engine, machine)).toBe(remedy);
  });

  test("whose client is all there is has to be installed", () => {
    expect(remedyOf(engine, machineWith([], withoutDaemon))).toContain(
      "Only docker's client is here: install the engine",
    );
  });

  test("that was looked for elsewhere is a matter of where to look", () => {
    const named = { kind: "variable", name: "DOCKER_HOST", value: "unix:///nonexistent" } as const;
    expect(remedyOf(unreachableDocker(stopped, { endpoint: named }), machineWith())).toBe(
      "Start the engine there, correct DOCKER_HOST, or take it away to use the engine of this machine:\n  unset DOCKER_HOST",
    );
    const context = { kind: "context", name: "build" } as const;
    expect(remedyOf(unreachableDocker(stopped, { endpoint: context }), machineWith())).toBe(
      "Start the engine of the docker context build, or use another:\n  docker context ls\n  docker context use default",
    );
  });

  test("is podman's virtual machine where there is one, or none yet", () => {
    const mac = machineWith([], { platform: "darwin" });
    const off = { state: stopped, info: undefined } as const;
    expect(remedyOf(podman({ ...off, virtualMachines: 1 }), mac)).toEndWith("\n  podman machine start");
    expect(remedyOf(podman({ ...off, virtualMachines: 0 }), mac)).toEndWith("\n  podman machine init --now");
  });

  test("can be done without where the other engine is", () => {
    const choice = choiceOf([engine], { from: "flag", others: ["podman"] });
    expect(lineOf(choice).remedy).toEndWith("\nOr use podman: --docker-path podman.");
  });
});

describe("a socket without permission", () => {
  const refusing = (group: string | undefined, userIsMember = false) =>
    unreachableDocker({
      kind: "permission denied",
      found: "permission denied",
      socket: { path: "/run/docker.sock", group, userIsMember },
    });

  test("is opened by joining its group, by the means of the machine", () => {
    expect(lineOf(choiceOf([refusing("docker")]))).toEqual({
      status: "problem",
      detail: "docker refuses access to /run/docker.sock",
      remedy:
        "Join the group docker, whose members are as good as root, and log in again.\n" +
        "  sudo usermod -aG docker ada\n  newgrp docker",
    });
    const alpine = machineWith([], { programs: new Set(["doas", "apk", "addgroup"]) });
    expect(remedyOf(refusing("docker"), alpine)).toContain("\n  doas addgroup ada docker\n");
  });

  test("needs no more than a new session when the user is in the group by now", () => {
    expect(remedyOf(refusing("docker", true), machineWith())).toBe(
      "You are in the group docker, but this session is older than that: log in again, or start a shell that has it:\n  newgrp docker",
    );
  });

  test("that belongs to root alone needs a group first", () => {
    expect(remedyOf(refusing(undefined), machineWith())).toStartWith("The socket is root's alone");
  });

  test("is told by the client's words when the socket is not to be found", () => {
    const engine = unreachableDocker({
      kind: "permission denied",
      found: "connect: permission denied",
      socket: undefined,
    });
    expect(lineOf(choiceOf([engine])).detail).toBe("docker refuses access (connect: permission denied)");
  });
});

test("an engine that hangs is to be looked at, or its address is", () => {
  const silent = { kind: "silent", seconds: 10 } as const;
  expect(lineOf(choiceOf([unreachableDocker(silent)]))).toEqual({
    status: "problem",
    detail: "docker did not answer within 10 seconds",
    remedy:
      "Its daemon hangs. Look at what it says, then start it again:\n  journalctl -u docker -n 50\n  sudo systemctl restart docker",
  });
  const endpoint = { kind: "variable", name: "DOCKER_HOST", value: "ssh://ada@build" } as const;
  expect(remedyOf(unreachableDocker(silent, { endpoint }), machineWith())).toBe(
    "Is DOCKER_HOST=ssh://ada@build what you mean, and can it be reached from here?",
  );
});
