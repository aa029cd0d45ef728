import { expect, test } from "bun:test";
import { readContainerInspection } from "../../src/runtime/container-details.ts";

/** What docker 26 printed of a container, without what nobody reads. */
const fromDocker = {
  Id: "45ed8e525fa59707cf38dfaaa6addef94116c6f08f83dbd0fdcb85d7dfb53542",
  Created: "2026-11-20T22:39:24.466251079Z",
  State: {
    Status: "running",
    Running: true,
    Pid: 21563,
    ExitCode: 0,
    StartedAt: "2026-11-20T22:39:24.685584084Z",
    FinishedAt: "0001-01-01T00:00:00Z",
  },
  Image: "sha256:f2b2e4aab7ebe815addda6188dac965d1e1da9a8fe5b3b0647c52edf8858d54d",
  Name: "/probe",
  Mounts: [
    { Type: "bind", Source: "/tmp", Destination: "/mnt", Mode: "ro", RW: false, Propagation: "rslave" },
    { Type: "volume", Name: "data", Source: "/var/lib/docker/volumes/data/_data", Destination: "/v", RW: true },
  ],
  Config: {
    User: "nobody",
    Env: ["X=1=2", "PATH=/usr/bin:/bin"],
    Cmd: ["-c", "sleep 600", "-"],
    Image: "debian:bookworm",
    WorkingDir: "",
    Entrypoint: ["/bin/sh"],
    Labels: { a: "b" },
  },
  NetworkSettings: {
    Ports: { "3000/tcp": [{ HostIp: "127.0.0.1", HostPort: "18765" }], "53/udp": null },
    Networks: { bridge: { IPAMConfig: null, IPAddress: "172.28.0.3" } },
  },
};

/** What podman 4.3 printed of the same container. */
const fromPodman = {
  ...fromDocker,
  Image: "504edf56bbc02b4853002fb131baed97f5ba978d7e81f75c4b2ed696e8065d0e",
  ImageName: "docker.io/library/debian:bookworm",
  Name: "probe",
  Config: {
    ...fromDocker.Config,
    Env: ["X=1=2", "PATH=/usr/bin:/bin", "TERM=xterm", "container=podman"],
    Image: "docker.io/library/debian:bookworm",
    WorkingDir: "/",
    Entrypoint: "/bin/sh",
    StopSignal: 15,
  },
  NetworkSettings: { Ports: {}, Networks: { podman: { IPAddress: "10.88.0.79", DriverOpts: null } } },
};

const one = (container: object) => readContainerInspection(JSON.stringify([container]))[0];

test("docker's container is told whole", () => {
  expect(one(fromDocker)).toEqual({
    id: fromDocker.Id,
    name: "probe",
    created: "2026-11-20T22:39:24.466251079Z",
    startedAt: "2026-11-20T22:39:24.685584084Z",
    status: "running",
    exitCode: 0,
    pid: 21563,
    image: {
      name: "debian:bookworm",
      id: "sha256:f2b2e4aab7ebe815addda6188dac965d1e1da9a8fe5b3b0647c52edf8858d54d",
    },
    user: "nobody",
    env: { X: "1=2", PATH: "/usr/bin:/bin" },
    labels: { a: "b" },
    entrypoint: ["/bin/sh"],
    command: ["-c", "sleep 600", "-"],
    workingDirectory: "",
    mounts: [
      { type: "bind", volume: undefined, source: "/tmp", target: "/mnt", writable: false },
      { type: "volume", volume: "data", source: "/var/lib/docker/volumes/data/_data", target: "/v", writable: true },
    ],
    networks: [{ name: "bridge", address: "172.28.0.3" }],
    ports: [{ port: 3000, protocol: "tcp", hostAddress: "127.0.0.1", hostPort: 18765 }],
  });
});

test("podman's shape is read the same way", () => {
  expect(one(fromPodman)).toMatchObject({
    name: "probe",
    image: { name: "docker.io/library/debian:bookworm", id: fromPodman.Image },
    entrypoint: ["/bin/sh"],
    workingDirectory: "/",
    networks: [{ name: "podman", address: "10.88.0.79" }],
    ports: [],
  });
});

test("an entrypoint that podman joined to one text is not taken apart again", () => {
  expect(one({ ...fromPodman, Config: { ...fromPodman.Config, Entrypoint: "/bin/sh -c x" } })?.entrypoint).toEqual([]);
});

test("what an engine leaves out or sets to null is empty", () => {
  const bare = {
    Id: "1",
    Created: "then",
    State: { Status: "created" },
    Config: { Labels: null, Env: null, Cmd: null },
  };
  for (const container of [bare, { ...bare, Mounts: null, NetworkSettings: null }]) {
    expect(one(container)).toMatchObject({
      name: "",
      startedAt: "",
      pid: undefined,
      user: "",
      env: {},
      labels: {},
      entrypoint: [],
      command: [],
      mounts: [],
      networks: [],
      ports: [],
    });
  }
});

test("a container that does not run has no process", () => {
  expect(one({ ...fromDocker, State: { ...fromDocker.State, Status: "exited", Pid: 0, ExitCode: 137 } })).toMatchObject(
    {
      status: "exited",
      pid: undefined,
      exitCode: 137,
    },
  );
});

test("nothing found is an empty list, whether printed as one or not at all", () => {
  expect(readContainerInspection("[]\n")).toEqual([]);
  expect(readContainerInspection("")).toEqual([]);
});

test("an answer that is no list of containers is an error, not a crash", () => {
  for (const text of ["<html>", "{}", '[{"Id":1}]'])
    expect(() => readContainerInspection(text)).toThrow("Could not read the engine's answer");
});
