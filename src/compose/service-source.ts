import { resolve } from "node:path/posix";
import type { DockerfileBuild, NamedContext } from "../dockerfile/dockerfile-build.ts";
import { UserError } from "../errors.ts";
import { csvRecord } from "../plan/csv-record.ts";
import type { ComposeBuild, ComposeModel, ComposeService } from "./compose-model.ts";

/** What a service's container is made from. */
export type ServiceSource =
  | { readonly kind: "image"; readonly reference: string }
  | { readonly kind: "build"; readonly build: ServiceBuild };

/** A service's build: that of its Dockerfile, and what it wants beyond. */
export interface ServiceBuild extends DockerfileBuild {
  /** Values of `--secret` and `--ssh`. */
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Further names of the image. */
  readonly tags: readonly string[];
  readonly noCache: boolean;
  /** Keys of the build that have no effect here. */
  readonly ignored: readonly string[];
}

/** The source of a service called `name`; throws UserError for a build that only Compose itself could do. */
export function serviceSource(model: ComposeModel, name: string, service: ComposeService): ServiceSource {
  const { build, image } = service;
  if (build) return { kind: "build", build: serviceBuild(model, name, build) };
  if (image) return { kind: "image", reference: image };
  throw new UserError(`The Docker Compose service ${name} has neither an image nor a build.`);
}

/** The platform of a service's image: its own, else the only one that its build is for. */
export function servicePlatform(service: ComposeService): string | undefined {
  const [first, ...others] = service.build?.platforms ?? [];
  return service.platform || (others.length === 0 ? first : undefined);
}

function serviceBuild(model: ComposeModel, name: string, build: ComposeBuild): ServiceBuild {
  const context = localContext(name, build.context ?? ".");
  const hint = `Check "build" of the service ${name} in the Compose files; its paths are relative to them.`;
  const inline = build.dockerfile_inline;
  return {
    dockerfile: inline
      ? { kind: "inline", text: inline, name: `dockerfile_inline of ${name}` }
      : { kind: "file", path: resolve(context, build.dockerfile || "Dockerfile"), hint },
    context,
    contextHint: hint,
    target: build.target || undefined,
    buildArgs: build.args,
    options: buildOptions(build),
    cacheFrom: build.cache_from,
    namedContexts: Object.fromEntries(
      Object.entries(build.additional_contexts).map(([key, value]) => [key, namedContext(name, value)]),
    ),
    secrets: build.secrets.map(({ source, target }) => secretOption(model, { name, source, id: target || source })),
    ssh: sshOptions(build),
    labels: build.labels,
    tags: build.tags,
    noCache: build.no_cache,
    ignored: [
      ...(build.cache_to.length > 0 ? ["cache_to"] : []),
      ...(build.privileged ? ["privileged"] : []),
      ...(build.platforms.length > 1 ? ["platforms"] : []),
    ],
  };
}

function localContext(name: string, context: string): string {
  if (!isRemote(context)) return context;
  throw new UserError(
    `The Docker Compose service ${name} is built from ${context}, which is not a folder of this machine.`,
    {
      hint: `Build it first (docker compose build ${name}) and name its image in the service instead, or clone it and use the folder.`,
    },
  );
}

function namedContext(service: string, value: string): NamedContext {
  const image = /^docker-image:\/\/(.+)$/.exec(value)?.[1];
  if (image !== undefined) return { kind: "image", reference: image };
  const other = /^(?:service|target):(.*)$/.exec(value)?.[1];
  if (other !== undefined) {
    throw new UserError(
      `The build of the Docker Compose service ${service} needs the image of another service (${value}).`,
      {
        hint: `Give ${other} an "image" name, build it (docker compose build ${other}), and refer to it as docker-image://<that name>.`,
      },
    );
  }
  return isRemote(value) || value.startsWith("oci-layout://")
    ? { kind: "remote", location: value }
    : { kind: "folder", path: value };
}

function isRemote(context: string): boolean {
  return /^(?:[a-z+]+:\/\/|git@|github\.com\/)/.test(context) && !context.startsWith("oci-layout://");
}

/** What docker and podman alike take as options of their build command. */
function buildOptions(build: ComposeBuild): string[] {
  return [
    ...(build.network ? ["--network", build.network] : []),
    ...extraHosts(build).flatMap((host) => ["--add-host", host]),
    ...(build.shm_size ? ["--shm-size", build.shm_size] : []),
    ...Object.entries(build.ulimits).flatMap(([limit, value]) => ["--ulimit", `${limit}=${limitText(value)}`]),
    ...build.entitlements.flatMap((entitlement) => ["--allow", entitlement]),
    ...(build.pull ? ["--pull"] : []),
  ];
}

function extraHosts({ extra_hosts }: ComposeBuild): string[] {
  if (Array.isArray(extra_hosts)) return extra_hosts.map((host) => host.replace("=", ":"));
  return Object.entries(extra_hosts).flatMap(([host, addresses]) =>
    [addresses].flat().map((address) => `${host}:${address}`),
  );
}

function limitText(value: NonNullable<ComposeBuild["ulimits"]>[string]): string {
  if (typeof value === "number") return String(value);
  return [value.soft, value.hard].filter((bound) => typeof bound === "number").join(":");
}

function secretOption(model: ComposeModel, secret: { name: string; source: string; id: string }): string {
  const found = Object.hasOwn(model.secrets, secret.source) ? model.secrets[secret.source] : undefined;
  if (found?.file) return csvRecord([`id=${secret.id}`, `src=${found.file}`]);
  if (found?.environment) return csvRecord([`id=${secret.id}`, `env=${found.environment}`]);
  throw new UserError(
    `The build of the Docker Compose service ${secret.name} needs the secret ${secret.source}, which comes neither from a file nor from the environment.`,
  );
}

function sshOptions({ ssh }: ComposeBuild): string[] {
  // Some versions print an agent's socket or key as YAML.
  if (Array.isArray(ssh)) return ssh.map((entry) => entry.replace(/^([^=:]+): /, "$1="));
  return Object.entries(ssh).map(([id, path]) => (path ? `${id}=${path}` : id));
}
