import * as v from "valibot";
import { UserError } from "../errors.ts";
import { envRecord } from "../oci/env-entries.ts";

/** A container as its engine tells of it, docker's and podman's answers alike. */
export interface ContainerDetails {
  readonly id: string;
  /** Without docker's leading slash. */
  readonly name: string;
  /** Time of creation, as the engine writes it: names this container's creation and is not reckoned with. */
  readonly created: string;
  /** Time of the last start, as the engine writes it; year 1 for a container that never ran. */
  readonly startedAt: string;
  /** The engine's word: `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead` and the like. */
  readonly status: string;
  readonly exitCode: number;
  /** The main process on the engine's host; undefined when none runs. */
  readonly pid: number | undefined;
  /** As the container was asked for, and the id of what that was. */
  readonly image: { readonly name: string; readonly id: string };
  /** Empty for the engine's default, root. */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Empty where podman wrote the words as one text that cannot be told apart any more. */
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly mounts: readonly ContainerMount[];
  /** The networks it is in, with its IPv4 address there; empty without one (host network, rootless, stopped). */
  readonly networks: readonly { readonly name: string; readonly address: string }[];
  readonly ports: readonly PublishedPort[];
}

/** What is mounted into a container. */
export interface ContainerMount {
  readonly type: string;
  /** The volume's name; undefined for what is not a volume. */
  readonly volume: string | undefined;
  /** Path on the engine's host. */
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

/** A port of a container that its engine's host listens on. */
export interface PublishedPort {
  readonly port: number;
  readonly protocol: string;
  /** Empty for all of the host's addresses. */
  readonly hostAddress: string;
  readonly hostPort: number;
}

const text = v.nullish(v.string(), "");
// Podman 4 prints an entrypoint as one text, docker and podman 5 as words.
const words = v.pipe(
  v.nullish(v.union([v.array(v.string()), v.string()]), []),
  v.transform((value) => (typeof value === "string" ? (/[\s]/.test(value) || value === "" ? [] : [value]) : value)),
);

const containerSchema = v.object({
  Id: v.string(),
  Name: text,
  Created: v.string(),
  Image: text,
  State: v.object({
    Status: v.string(),
    StartedAt: text,
    ExitCode: v.nullish(v.number(), 0),
    Pid: v.nullish(v.number(), 0),
  }),
  Config: v.object({
    User: text,
    Env: v.nullish(v.array(v.string()), []),
    Labels: v.nullish(v.record(v.string(), v.string()), {}),
    Image: text,
    Entrypoint: words,
    Cmd: words,
    WorkingDir: text,
  }),
  Mounts: v.nullish(
    v.array(
      v.object({
        Type: text,
        Name: v.nullish(v.string()),
        Source: text,
        Destination: v.string(),
        RW: v.nullish(v.boolean(), true),
      }),
    ),
    [],
  ),
  NetworkSettings: v.nullish(
    v.object({
      Ports: v.nullish(v.record(v.string(), v.nullish(v.array(v.object({ HostIp: text, HostPort: text })), [])), {}),
      Networks: v.nullish(v.record(v.string(), v.object({ IPAddress: text })), {}),
    }),
    {},
  ),
});

const inspection = v.array(containerSchema);
type Inspected = v.InferOutput<typeof containerSchema>;

/** The containers that `inspect --type container` printed, in its order; throws UserError when the text is not such an answer. */
export function readContainerInspection(text: string): readonly ContainerDetails[] {
  return parseInspection(text).map(toDetails);
}

function parseInspection(text: string): readonly Inspected[] {
  try {
    return v.parse(inspection, JSON.parse(text.trim() === "" ? "[]" : text));
  } catch (cause) {
    throw new UserError(
      "Could not read the engine's answer to `inspect --type container`: it is not the JSON of a list of containers.",
      { cause },
    );
  }
}

function toDetails(container: Inspected): ContainerDetails {
  const { State, Config, NetworkSettings } = container;
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ""),
    created: container.Created,
    startedAt: State.StartedAt,
    status: State.Status,
    exitCode: State.ExitCode,
    pid: State.Pid === 0 ? undefined : State.Pid,
    image: { name: Config.Image, id: container.Image },
    user: Config.User,
    env: envRecord(Config.Env),
    labels: Config.Labels,
    entrypoint: Config.Entrypoint,
    command: Config.Cmd,
    workingDirectory: Config.WorkingDir,
    mounts: container.Mounts.map((mount) => ({
      type: mount.Type,
      volume: mount.Type === "volume" ? (mount.Name ?? undefined) : undefined,
      source: mount.Source,
      target: mount.Destination,
      writable: mount.RW,
    })),
    networks: Object.entries(NetworkSettings.Networks).map(([name, { IPAddress }]) => ({
      name,
      address: IPAddress,
    })),
    ports: Object.entries(NetworkSettings.Ports).flatMap(([key, bindings]) => publishedPorts(key, bindings ?? [])),
  };
}

function publishedPorts(
  key: string,
  bindings: readonly { readonly HostIp: string; readonly HostPort: string }[],
): PublishedPort[] {
  const [port = "", protocol = "tcp"] = key.split("/");
  return bindings.map(({ HostIp, HostPort }) => ({
    port: Number(port),
    protocol,
    hostAddress: HostIp,
    hostPort: Number(HostPort),
  }));
}
