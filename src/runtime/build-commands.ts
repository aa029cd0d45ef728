import { basename, dirname } from "node:path";
import { UserError } from "../errors.ts";
import type { Command } from "../plan/command.ts";
import type { Builder } from "./builder.ts";

/** One build of a rendered Dockerfile: what to build, under which names, and where the result goes. */
export interface BuildSpec {
  readonly dockerfile: string;
  readonly context: string;
  readonly target: string;
  readonly tags: readonly string[];
  readonly namedContexts: Readonly<Record<string, string>>;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platform: string | undefined;
  readonly delivery: BuildDelivery;
  readonly cacheFrom: readonly string[];
  readonly cacheTo: string | undefined;
  readonly noCache: boolean;
  /** Whether a build without cache also asks the registry for a newer base image. */
  readonly pull: boolean;
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  readonly builder: string | undefined;
  /** Arguments of the build command that the configuration adds as they are. */
  readonly options: readonly string[];
  /** An ignore file that belongs to the Dockerfile rather than to the context. */
  readonly ignoreFile: string | undefined;
}

export type BuildDelivery =
  | { readonly kind: "load" }
  | { readonly kind: "push" }
  | { readonly kind: "export"; readonly output: string };

/** The options that only BuildKit (or Podman) can honour, as a user wrote them; what `--buildkit never` is refused with. */
export function optionsThatNeedBuildkit(
  wishes: Pick<BuildSpec, "platform" | "delivery" | "cacheTo" | "secrets" | "ssh" | "builder">,
): readonly string[] {
  return [
    wishes.platform === undefined ? [] : ["--platform"],
    wishes.delivery.kind === "push" ? ["--push"] : [],
    wishes.delivery.kind === "export" ? ["--output"] : [],
    wishes.cacheTo === undefined ? [] : ["--cache-to"],
    wishes.secrets.length === 0 ? [] : ["--secret"],
    wishes.ssh.length === 0 ? [] : ["--ssh"],
    wishes.builder === undefined ? [] : ["--builder"],
  ].flat();
}

/** The commands that realise a build on a builder, in order; the first builds, the others deliver what it made. */
export function buildCommands(enginePath: string, builder: Builder, spec: BuildSpec): readonly [Command, ...Command[]] {
  const command = (args: readonly string[], env: Record<string, string> = {}): Command => ({
    file: enginePath,
    args,
    env,
  });
  switch (builder.kind) {
    case "buildx":
      return [command(buildxArgs(spec))];
    case "classic":
      return [command(classicArgs(spec), { DOCKER_BUILDKIT: "0" })];
    case "podman":
      return [
        command(podmanArgs(spec, builder.selinux)),
        ...replacedFiles(spec).map((file) => ({ file: "rm", args: ["-f", "--", file], env: {} })),
        ...podmanDelivery(spec).map((args) => command(args)),
      ];
  }
}

/** What must run after those, however they end: Podman's own name for a build of several platforms is taken away. */
export function commandsAfterBuild(enginePath: string, builder: Builder, spec: BuildSpec): readonly Command[] {
  if (builder.kind !== "podman" || !isMultiPlatform(spec)) return [];
  return [{ file: enginePath, args: ["manifest", "rm", manifestList(spec)], env: {} }];
}

function buildxArgs(spec: BuildSpec): string[] {
  const inlineCache = spec.cacheTo === undefined || !/(^|,)type=inline(,|$)/.test(spec.cacheTo);
  return [
    "buildx",
    "build",
    ...optional("--builder", spec.builder),
    "--progress=plain",
    ...optional("--platform", spec.platform),
    ...buildxDelivery(spec.delivery),
    ...optional("--cache-to", spec.cacheTo),
    ...(inlineCache ? ["--build-arg", "BUILDKIT_INLINE_CACHE=1"] : []),
    ...commonArgs(spec, spec.pull ? ["--pull"] : []),
    ...(spec.noCache ? [] : repeat("--cache-from", spec.cacheFrom)),
    ...buildArgs(spec),
    ...repeat("--secret", spec.secrets),
    ...repeat("--ssh", spec.ssh),
    ...spec.options,
    ...namedContexts(spec),
    spec.context,
  ];
}

function buildxDelivery(delivery: BuildDelivery): string[] {
  switch (delivery.kind) {
    case "load":
      return ["--load"];
    case "push":
      return ["--push"];
    case "export":
      return ["--output", delivery.output];
  }
}

function classicArgs(spec: BuildSpec): string[] {
  return [
    "build",
    ...commonArgs(spec, spec.pull ? ["--pull"] : []),
    ...(spec.noCache ? [] : repeat("--cache-from", spec.cacheFrom)),
    ...buildArgs(spec),
    ...spec.options,
    spec.context,
  ];
}

function podmanArgs(spec: BuildSpec, selinux: boolean): string[] {
  return [
    "build",
    ...optional("--platform", spec.platform),
    ...(spec.delivery.kind === "export" && !isArchive(spec.delivery.output) ? ["--output", spec.delivery.output] : []),
    ...optional("--cache-to", spec.cacheTo === undefined ? undefined : podmanCache("--cache-to", spec.cacheTo)),
    ...commonArgs(
      isMultiPlatform(spec)
        ? { ...spec, dockerfile: podmanFile(spec.dockerfile), tags: [manifestList(spec)] }
        : { ...spec, dockerfile: podmanFile(spec.dockerfile) },
      spec.pull ? ["--pull=newer"] : [],
      isMultiPlatform(spec) ? "--manifest" : "-t",
    ),
    ...(spec.noCache
      ? []
      : repeat(
          "--cache-from",
          spec.cacheFrom.map((source) => podmanCache("--cache-from", source)),
        )),
    ...buildArgs(spec),
    ...repeat("--secret", spec.secrets),
    ...repeat("--ssh", spec.ssh),
    ...spec.options,
    ...namedContexts(spec),
    // Content labelled for the user's files could not be read by the build's processes.
    ...(selinux && Object.keys(spec.namedContexts).length > 0 ? ["--security-opt", "label=disable"] : []),
    ...optional("--ignorefile", spec.ignoreFile),
    spec.context,
  ];
}

/** Of this one build, by its folder: Podman adds to a list that is there already. */
function manifestList({ dockerfile }: BuildSpec): string {
  return `localhost/cooper/platforms:${basename(dirname(dockerfile))}`;
}

/** Podman's `--file` takes several, separated by commas: a path with one in it is quoted as in CSV. */
export function podmanFile(path: string): string {
  return /[",]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
}

function podmanDelivery(spec: BuildSpec): string[][] {
  const several = isMultiPlatform(spec);
  const list = manifestList(spec);
  const tag = several ? [["tag", list, ...spec.tags]] : [];
  switch (spec.delivery.kind) {
    case "load":
      return tag;
    case "push":
      if (several) return [...tag, ...spec.tags.map((name) => ["manifest", "push", "--all", list, `docker://${name}`])];
      return spec.tags.map((name) => ["push", name]);
    case "export": {
      const { output } = spec.delivery;
      const [tag] = spec.tags;
      if (!isArchive(output) || tag === undefined) return [];
      const fields = outputFields(output);
      const file = fields.get("dest");
      const format = fields.get("type") === "oci" ? "oci-archive" : "docker-archive";
      // As buildx has it: an image for docker that goes to no file goes to the engine.
      if (file === undefined && format === "docker-archive") return [];
      if (file === undefined) throw new UserError(`--output ${output}: name the file to write with dest=.`);
      return [
        several
          ? ["manifest", "push", "--all", list, `${format}:${file}`]
          : ["save", "--format", format, "-o", file, tag],
      ];
    }
  }
}

/** Podman adds to a docker archive that is there already, which it then says it cannot do. */
function replacedFiles({ delivery }: BuildSpec): string[] {
  if (delivery.kind !== "export") return [];
  const fields = outputFields(delivery.output);
  const file = fields.get("dest");
  return fields.get("type") === "docker" && file !== undefined ? [file] : [];
}

function commonArgs(spec: BuildSpec, pull: readonly string[], tagFlag = "-t"): string[] {
  return [
    "-f",
    spec.dockerfile,
    ...repeat(tagFlag, spec.tags),
    "--target",
    spec.target,
    ...(spec.noCache ? ["--no-cache", ...pull] : []),
  ];
}

function buildArgs(spec: BuildSpec): string[] {
  return Object.entries(spec.buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
}

function namedContexts(spec: BuildSpec): string[] {
  return Object.entries(spec.namedContexts).flatMap(([name, folder]) => ["--build-context", `${name}=${folder}`]);
}

function podmanCache(flag: string, value: string): string {
  if (!value.includes("=")) return value;
  const fields = outputFields(value);
  const reference = fields.get("ref");
  if (fields.get("type") === "registry" && reference !== undefined) return reference;
  throw new UserError(`${flag} ${value}: Podman keeps build caches in registries only.`, {
    hint: `Name a repository (${flag} registry.example/cache, or ${flag} type=registry,ref=…), or build on Docker.`,
  });
}

function isMultiPlatform(spec: BuildSpec): boolean {
  return spec.platform?.includes(",") === true;
}

function isArchive(output: string): boolean {
  const type = outputFields(output).get("type");
  return type === "oci" || type === "docker";
}

function outputFields(output: string): ReadonlyMap<string, string> {
  return new Map(
    output.split(",").map((field) => {
      const equals = field.indexOf("=");
      return equals === -1 ? (["dest", field] as const) : ([field.slice(0, equals), field.slice(equals + 1)] as const);
    }),
  );
}

function optional(flag: string, value: string | undefined): string[] {
  return value === undefined ? [] : [flag, value];
}

function repeat(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}
