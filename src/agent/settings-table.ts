import * as v from "valibot";
import { AGENTS, type Agent } from "./agents.ts";

/** One key of cooper's configuration: everything that is known of it, once. */
export interface Setting {
  /** What a value has to be; issues' messages finish the sentence "wanted …". */
  readonly schema: v.GenericSchema;
  readonly default: string | number | boolean | null | readonly string[];
  /** How text of the environment is read: a list is separated by colons. */
  readonly type: "text" | "number" | "boolean" | "list";
  /**
   * What a project's own file may say before the user trusts it: `any` value, one that is `safe` by the rule, or `none`; `never` is for
   * what a project may not say at all. Nothing that reaches the host beyond the workspace, and nothing that undoes the user's care.
   */
  readonly project: "any" | "none" | "never" | SafeValues;
  readonly description: string;
}

/** Every key by its name. */
export type SettingsTable = Readonly<Record<string, Setting>>;

/** Which values of an untrusted project count. */
export interface SafeValues {
  readonly safe: (value: unknown, place: ProjectPlace) => boolean;
  readonly rule: string;
}

/** What a rule may ask of the project whose file sets a value. */
export interface ProjectPlace {
  /** What applies without that file. */
  readonly before: unknown;
  /** Whether a path, relative to the project, stays in it once links are followed. */
  readonly isInside: (path: string) => boolean;
}

const path = v.pipe(v.string("a path"), v.regex(/^[^\0\r\n]+$/, "a path, in one line"));
const image = v.pipe(v.string("an image's name"), v.regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/, "an image's name"));
const size = v.pipe(
  v.string('a size like "512m"'),
  v.regex(/^[1-9]\d*[kmgKMG]$/, 'a size like "512m": a number above 0 and k, m or g'),
  v.toLowerCase(),
);
const flag = v.boolean("true or false");
const wholeNumber = v.pipe(v.number("a number"), v.integer("a whole number"), v.minValue(0, "a number from 0 on"));
const version = v.pipe(
  v.string("latest or a version"),
  v.regex(/^(latest|v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?)$/, "latest or a version like 1.2.3"),
);
const environmentName = v.pipe(
  v.string("a name"),
  v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable"),
);

function setting(
  parts: Omit<Setting, "project" | "default" | "schema"> & Partial<Pick<Setting, "project" | "default">>,
): Omit<Setting, "schema"> {
  return { project: "any", default: null, ...parts };
}

const insideProject = {
  safe: (value: unknown, { isInside }: ProjectPlace) => typeof value === "string" && isInside(value),
  rule: "a path in the project",
};

/** A project may be stricter than the user, not laxer. */
function only(...strict: readonly (string | boolean)[]): SafeValues {
  return {
    safe: (value, { before }) => value === before || strict.some((allowed) => allowed === value),
    rule: `${strict.join(" or ")}, or what applies without it`,
  };
}

/** What guards the machine against what runs in the container is not the project's to lift. */
const noMore: SafeValues = {
  safe: (value, { before }) => amountOf(value) <= amountOf(before),
  rule: "an amount up to what applies without it",
};

const UNITS = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;

function amountOf(value: unknown): number {
  const [, number, letter] = /^(\d+)([kmg])$/.exec(String(value)) ?? [];
  return letter === "k" || letter === "m" || letter === "g" ? Number(number) * UNITS[letter] : Number(value);
}

/** The keys that an agent brings: its version, and its configuration on this machine. */
function settingsOfAgent({ name, title, configFolder }: Agent): SettingsTable {
  return {
    [versionKey(name)]: {
      schema: version,
      ...setting({ type: "text", default: "latest", description: `${title}'s version: latest, or one like 1.2.3` }),
    },
    [configFolderKey(name)]: {
      schema: path,
      ...setting({
        type: "text",
        default: `~/${configFolder}`,
        project: "none",
        description: `${title}'s configuration on this machine; made if absent`,
      }),
    },
  };
}

/** The key of an agent's version. */
export function versionKey(agent: string): AgentVersionKey {
  return `${agent.replaceAll("-", "_")}_version`;
}

/** The key of an agent's folder of configuration. */
export function configFolderKey(agent: string): AgentFolderKey {
  return `${agent.replaceAll("-", "_")}_config_dir`;
}

export type AgentVersionKey = `${string}_version`;
export type AgentFolderKey = `${string}_config_dir`;

/** The keys that there are whatever agents there are, in the order of the documentation. */
const COMMON_SETTINGS = {
  custom_base_image: {
    schema: image,
    ...setting({ type: "text", description: "The image that an agent is put on: the engine's own, or pulled" }),
  },
  custom_base_dockerfile: {
    schema: path,
    ...setting({
      type: "text",
      project: insideProject,
      description:
        "A Dockerfile to build that image from: in the project, else in the user's configuration folder; its own folder is the context",
    }),
  },
  container_name: {
    schema: v.pipe(
      v.string("a name"),
      v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, "a name of letters, digits and _.-"),
    ),
    ...setting({ type: "text", description: "What the container's name begins with" }),
  },
  memory: {
    schema: size,
    ...setting({
      type: "text",
      default: "1024m",
      project: noMore,
      description: "The most memory that the container may use",
    }),
  },
  cpus: {
    schema: v.pipe(v.number("a number"), v.gtValue(0, "more than 0")),
    ...setting({ type: "number", default: 1, project: noMore, description: "How many processors it may use" }),
  },
  pids_limit: {
    schema: v.pipe(wholeNumber, v.minValue(1, "1 or more")),
    ...setting({ type: "number", default: 100, project: noMore, description: "How many processes it may have" }),
  },
  tmp_size: {
    schema: size,
    ...setting({ type: "text", default: "500m", description: "The size of /tmp, which is in memory" }),
  },
  workspace_tmp_size: {
    schema: size,
    ...setting({ type: "text", default: "500m", description: "The size of /workspace/tmp, which is in memory" }),
  },
  network: {
    schema: v.pipe(
      v.string("a network"),
      v.regex(/^[A-Za-z0-9][A-Za-z0-9_.:,=/-]*$/, "none, bridge, host or a network's name"),
    ),
    ...setting({
      type: "text",
      default: "bridge",
      project: only("none"),
      description: "The container's network: none, bridge, host or a network's name",
    }),
  },
  port: {
    schema: v.pipe(wholeNumber, v.minValue(1, "1 to 65535"), v.maxValue(65535, "1 to 65535")),
    ...setting({
      type: "number",
      // Not where other programs of this machine look for a service that they know.
      project: { safe: (value) => typeof value === "number" && value >= 32768, rule: "32768 to 65535" },
      description: "The port of this machine for the container's port 80 (default: by the project's path)",
    }),
  },
  publish_port: {
    schema: flag,
    ...setting({
      type: "boolean",
      default: true,
      project: only(false),
      description: "Whether the port is published, on this machine's loopback alone",
    }),
  },
  add_host_docker_internal: {
    schema: flag,
    ...setting({
      type: "boolean",
      default: true,
      project: only(false),
      description: "Whether host.docker.internal names this machine in the container",
    }),
  },
  allow_host_loopback: {
    schema: flag,
    ...setting({
      type: "boolean",
      default: false,
      project: only(false),
      description:
        "Whether services that listen on this machine's loopback alone can be reached; with podman as host.docker.internal, with docker only in the network host",
    }),
  },
  username: {
    schema: v.pipe(v.string("a name"), v.regex(/^[a-z_][a-z0-9_-]{0,30}$/, "a user's name")),
    ...setting({ type: "text", project: "none", description: "The user's name in the container (default: yours)" }),
  },
  uid: {
    schema: wholeNumber,
    ...setting({ type: "number", project: "none", description: "The user's id (default: yours)" }),
  },
  gid: {
    schema: wholeNumber,
    ...setting({ type: "number", project: "none", description: "The group's id (default: yours)" }),
  },
  rgignore_file: {
    schema: path,
    ...setting({
      type: "text",
      project: insideProject,
      description: "A file that becomes .rgignore in the home (default: that of the agent's configuration)",
    }),
  },
  env_file: {
    schema: path,
    ...setting({
      type: "text",
      default: "ocx.env",
      project: insideProject,
      description: "A file of NAME=value lines for the container, in the project",
    }),
  },
  env_passthrough: {
    schema: v.array(environmentName, "a list of names"),
    ...setting({
      type: "list",
      default: [],
      project: "none",
      description: "Variables to hand in by name, beside the provider keys",
    }),
  },
  data_volumes_mode: {
    schema: v.picklist(["always", "git", "never"], "always, git or never"),
    ...setting({
      type: "text",
      default: "git",
      project: only("never"),
      description: "Whether caches and logins are kept in volumes: always, in git repositories, never",
    }),
  },
  data_volumes_name: {
    schema: v.pipe(v.string("a name"), v.regex(/^[a-z0-9][a-z0-9-]*$/, "a name of a-z, 0-9 and -")),
    ...setting({
      type: "text",
      project: "none",
      description: "What the volumes' names begin with (default: by the repository)",
    }),
  },
  read_only: {
    schema: flag,
    ...setting({
      type: "boolean",
      default: false,
      project: only(true),
      description: "Whether the image's files cannot be changed",
    }),
  },
  forbidden_paths: {
    schema: v.array(path, "a list of paths"),
    ...setting({
      type: "list",
      default: [],
      description: "Files and folders of the project that the agent gets empty",
    }),
  },
  timezone: {
    schema: v.pipe(v.string("a time zone"), v.regex(/^[A-Za-z0-9_+/:,.<>-]+$/, 'a time zone like "Europe/Berlin"')),
    ...setting({ type: "text", default: "UTC", description: "The container's time zone (also: TZ)" }),
  },
  docker_path: {
    schema: path,
    ...setting({
      type: "text",
      project: "never",
      description: "The engine's client, where neither option nor environment names one",
    }),
  },
  host_commands: {
    schema: flag,
    ...setting({
      type: "boolean",
      project: "never",
      description: "Whether a repository's own commands may run on this machine (default: ask)",
    }),
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** The name of a key that there is whatever agents there are. */
export type CommonSettingKey = keyof typeof COMMON_SETTINGS;

/** What a key that there is whatever agents there are may be set to. */
export type CommonSettingValue<Key extends CommonSettingKey> = v.InferOutput<(typeof COMMON_SETTINGS)[Key]["schema"]>;

/** Every key of cooper's configuration where these are the agents, in the order of the documentation. */
export function settingsTable(agents: readonly Agent[]): SettingsTable {
  return Object.assign({}, ...agents.map(settingsOfAgent), COMMON_SETTINGS);
}

/** Every key that there is. */
export const SETTINGS = settingsTable(AGENTS);
