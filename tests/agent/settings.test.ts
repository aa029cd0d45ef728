import { expect, test } from "bun:test";
import { environmentValues, mergeSettings, type SettingLayer } from "../../src/agent/settings.ts";
import { SETTINGS } from "../../src/agent/settings-table.ts";

const inProject = { isInside: (path: string) => !/^[~/]|\.\./.test(path) };

function layer(values: Record<string, unknown>, origin: SettingLayer["origin"] = "user"): SettingLayer {
  return { name: origin, origin, values };
}

function merge(...layers: readonly SettingLayer[]) {
  return mergeSettings(layers, inProject);
}

test("without any layer every key has its default, and says so", () => {
  const { settings, sources } = merge();
  expect(settings).toMatchObject({ memory: "1024m", cpus: 1, pids_limit: 100, network: "bridge", read_only: false });
  expect(Object.values(sources)).toEqual(Object.keys(SETTINGS).map(() => ["default"]));
});

test("what counts more replaces, and null leaves what was", () => {
  const { settings, sources } = merge(layer({ memory: "2g", cpus: 3 }), {
    ...layer({ memory: null, cpus: 4 }, "trusted project"),
  });
  expect([settings.memory, settings.cpus]).toEqual(["2g", 4]);
  expect([sources["memory"], sources["cpus"]]).toEqual([["user"], ["trusted project"]]);
});

test("lists are joined, each entry once, in the order of the layers", () => {
  const { settings, sources } = merge(
    layer({ forbidden_paths: ["secrets", "a"] }),
    layer({ forbidden_paths: ["a", "b"] }, "untrusted project"),
  );
  expect(settings.forbidden_paths).toEqual(["secrets", "a", "b"]);
  expect(sources["forbidden_paths"]).toEqual(["user", "untrusted project"]);
});

test("the environment's text becomes what the key wants; COOPER_ counts before OCX_, and an empty one is none", () => {
  expect(
    environmentValues({
      COOPER_MEMORY: "3g",
      OCX_MEMORY: "1g",
      OCX_CPUS: "1.5",
      COOPER_READ_ONLY: "true",
      OCX_FORBIDDEN_PATHS: "a:b::c",
      COOPER_NETWORK: "",
      OCX_NETWORK: "none",
      TZ: "Europe/Berlin",
      COOPER_HOST_COMMANDS: "true",
    }),
  ).toEqual({
    memory: "3g",
    cpus: 1.5,
    read_only: true,
    forbidden_paths: ["a", "b", "c"],
    network: "none",
    timezone: "Europe/Berlin",
  });
});

test("a value of the wrong kind is told with what was wanted", () => {
  const wrong = {
    memory: "512",
    cpus: 0,
    pids_limit: 1.5,
    port: 65536,
    network: "host --privileged",
    container_name: "a b",
    opencode_version: "newest",
    data_volumes_name: "../x",
    data_volumes_mode: "sometimes",
    timezone: "a b",
    custom_base_image: "debian\nRUN true",
    env_passthrough: ["A=b"],
    username: "-root",
    read_only: "yes",
    forbidden_paths: "secrets",
    env_file: "a\nb",
  };
  expect(merge(layer(wrong)).wrong.map(({ key }) => key)).toEqual(Object.keys(wrong));
  expect(merge(layer({ cpus: 0 })).wrong[0]?.text).toBe("cpus is 0; wanted more than 0.");
});

test("versions may be latest, plain, with a v, and pre-releases", () => {
  for (const opencode_version of ["latest", "1.2.3", "v1.2.3", "1.2.3-beta.1"]) {
    expect(merge(layer({ opencode_version })).wrong).toEqual([]);
  }
});

test("a name that means nothing is told with the nearest that does, whatever the name", () => {
  const { unknown } = merge(layer(JSON.parse('{"memroy": "1g", "__proto__": 1, "constructor": 1}')));
  expect(unknown.map(({ text }) => text)).toEqual([
    '"memroy" is no key of cooper\'s; did you mean "memory"?',
    '"__proto__" is no key of cooper\'s.',
    '"constructor" is no key of cooper\'s.',
  ]);
});

/** For each key a value that a hostile repository would like, where there is one. */
const HOSTILE: Partial<Record<string, unknown>> = {
  custom_base_dockerfile: "../other/Dockerfile",
  memory: "2g",
  cpus: 64,
  pids_limit: 1_000_000,
  network: "host",
  port: 5432,
  add_host_docker_internal: true,
  allow_host_loopback: true,
  publish_port: true,
  username: "root",
  uid: 0,
  gid: 0,
  opencode_config_dir: "~/.ssh",
  rgignore_file: "/etc/shadow",
  env_file: "~/.aws/credentials",
  env_passthrough: ["AWS_SECRET_ACCESS_KEY"],
  data_volumes_mode: "always",
  data_volumes_name: "somebody-elses",
  read_only: false,
  docker_path: "./evil",
  host_commands: true,
};

/** What a careful user has set. */
const CAREFUL = { network: "none", read_only: true, publish_port: false, add_host_docker_internal: false };

test("an untrusted project gets nothing that reaches the host, and undoes nothing that the user set", () => {
  const { settings, ignored } = merge(layer(CAREFUL), layer(HOSTILE, "untrusted project"));
  expect(settings).toEqual(merge(layer(CAREFUL)).settings);
  expect(ignored.map(({ key }) => key).toSorted()).toEqual(Object.keys(HOSTILE).toSorted());
});

test("a trusted project may say all but what is the user's alone", () => {
  const { settings, ignored } = merge(layer(HOSTILE, "trusted project"));
  expect([settings.network, settings.uid, settings.env_file]).toEqual(["host", 0, "~/.aws/credentials"]);
  expect(ignored.map(({ key, grantable }) => [key, grantable])).toEqual([
    ["docker_path", false],
    ["host_commands", false],
  ]);
});

test("an untrusted project may be stricter than the user", () => {
  const strict = {
    network: "none",
    read_only: true,
    publish_port: false,
    add_host_docker_internal: false,
    data_volumes_mode: "never",
    port: 40000,
    env_file: "agent.env",
  };
  const { settings, ignored } = merge(layer(strict, "untrusted project"));
  expect(ignored).toEqual([]);
  expect(settings).toMatchObject(strict);
});

test("an untrusted project may lower the limits of memory, processors and processes, in whatever unit", () => {
  const low = { memory: "1048576K", cpus: 0.5, pids_limit: 50 };
  const { settings, ignored } = merge(layer(low, "untrusted project"));
  expect(ignored).toEqual([]);
  expect(settings).toMatchObject({ ...low, memory: "1048576k" });
  expect(merge(layer({ memory: "1048577k" }, "untrusted project")).settings.memory).toBe("1024m");
});

test("whatever a system's TZ may say is a time zone", () => {
  for (const timezone of ["Europe/Berlin", ":UTC", "EST5EDT,M3.2.0,M11.1.0", "<+03>-3", "Etc/GMT+1"]) {
    expect(merge(layer({ timezone })).wrong).toEqual([]);
  }
});

test("another network than the user's is no stricter one: bridge does not undo none", () => {
  const { settings } = merge(layer({ network: "none" }), layer({ network: "bridge" }, "untrusted project"));
  expect(settings.network).toBe("none");
});

test("every key that an untrusted project may set freely is one that was decided to be harmless", () => {
  expect(Object.keys(SETTINGS).filter((key) => SETTINGS[key]?.project === "any")).toEqual([
    "opencode_version",
    "codex_version",
    "claude_version",
    "custom_base_image",
    "container_name",
    "tmp_size",
    "workspace_tmp_size",
    "forbidden_paths",
    "timezone",
  ]);
});
