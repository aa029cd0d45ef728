import { UserError } from "../errors.ts";
import type { BuildStep } from "../plan/build-plan.ts";
import type { BuildVariant } from "../profile/build-variant.ts";
import type { RepoProfile } from "../profile/repo-profile.ts";
import { quoteLiteral } from "./quote.ts";

/** What the image of a profile is rendered from. */
export interface ProfileImage {
  readonly profile: RepoProfile;
  readonly baseImage: string;
  readonly variant: BuildVariant;
}

/** A rendered profile; `buildArgs` is what a build of the text must be given. */
export interface ProfileDockerfile {
  readonly text: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** The instruction that installs the distribution's packages. */
  readonly packages: string;
  /** Of every install command that is run, its place in the profile and its instruction. */
  readonly installs: readonly InstallInstruction[];
  /** What the text does to its base as steps of a plan, for a context of this digest. */
  readonly steps: (contextDigest: string) => readonly BuildStep[];
}

export interface InstallInstruction {
  readonly index: number;
  readonly command: string;
  readonly instruction: string;
}

/** Where an image has the repository. */
const WORKSPACE = "/workspace";
const PACKAGES = ["git", "build-essential", "curl"];
const BUILDER_PACKAGES = ["python3-dev", "libffi-dev"];
const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]*(?::[a-z0-9]+)?(?:=[A-Za-z0-9.+:~-]+)?$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
/** No instruction can hold a line break: an argument of the build brings it. */
const NEWLINE_ARGUMENT = "COOPER_NEWLINE";

/** The Dockerfile of a profile by the original's byte rules; throws UserError for values that no Dockerfile can hold. */
export function renderProfileDockerfile({ profile, baseImage, variant }: ProfileImage): ProfileDockerfile {
  const installs = profile.install_cmds.flatMap((written, index) => {
    const command = written.trim();
    return command === "" ? [] : [{ index, command, instruction: runInstruction(command, `install_cmds[${index}]`) }];
  });
  const env = Object.entries(profile.env).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  const breaksLines = env.some(([, value]) => value.includes("\n"));
  const packages = packagesInstruction(profile, variant);
  const lines = [
    `FROM ${baseImage}`,
    packages,
    `WORKDIR ${WORKSPACE}`,
    `COPY . ${WORKSPACE}`,
    ...(breaksLines ? [`ARG ${NEWLINE_ARGUMENT}`] : []),
    ...env.map(([name, value]) => envInstruction(name, value)),
    ...installs.map(({ instruction }) => instruction),
  ];
  return {
    text: `${lines.join("\n")}\n`,
    buildArgs: breaksLines ? { [NEWLINE_ARGUMENT]: "\n" } : {},
    packages,
    installs,
    steps: (contextDigest) => [
      runStep(packages, packages.slice("RUN ".length).replaceAll("\\\n", "")),
      { kind: "config", workingDirectory: WORKSPACE },
      { kind: "context", digest: contextDigest, target: WORKSPACE },
      ...(env.length === 0 ? [] : [{ kind: "env", variables: Object.fromEntries(env) } as const]),
      ...installs.map(({ command, instruction }) => runStep(instruction, command)),
    ],
  };
}

/** Titled as its instruction, by which a failure is told. */
function runStep(instruction: string, command: string): BuildStep {
  return { kind: "run", title: instruction.slice("RUN ".length), command };
}

/** What tells which instructions of a profile's Dockerfile download, and what they download with. */
export type CachedInstalls = Pick<ProfileDockerfile, "installs" | "packages"> &
  Pick<RepoProfile, "language"> & {
    /** Tells apart those that must not share what install commands keep. */
    readonly cacheId: string;
    /** As `cacheId`, of what apt keeps. */
    readonly aptCacheId: string;
  };

/**
 * A profile's Dockerfile whose instructions find what apt and the language's package manager downloaded before. Not of Go and Rust:
 * what they download is part of the image.
 */
export function withInstallCaches(
  text: string,
  { packages, installs, language, cacheId, aptCacheId }: CachedInstalls,
): string {
  const instructions = new Set(installs.map(({ instruction }) => instruction));
  const mounts = CACHES[language].map(
    ({ name, target }) => `--mount=type=cache,id=${cacheId}-${name},target=${target} `,
  );
  return text
    .replace(packages, () => withKeptArchives(packages, aptCacheId))
    .split("\n")
    .map((line) => (instructions.has(line) ? `RUN ${mounts.join("")}${line.slice("RUN ".length)}` : line))
    .join("\n");
}

/** A folder that every Debian image has, so that no mount point is left behind. apt allows one user at a time. */
const APT_ARCHIVES = "/var/cache/apt/archives";

// Official images delete what lies in apt's own folder after every install; a folder in it is not looked at.
const APT_INSTALL = `mkdir -p ${APT_ARCHIVES}/kept/partial && apt-get -o Dir::Cache::Archives=${APT_ARCHIVES}/kept install`;

function withKeptArchives(packages: string, aptCacheId: string): string {
  const mount = `--mount=type=cache,id=${aptCacheId},sharing=locked,target=${APT_ARCHIVES}`;
  const installs = packages.slice("RUN ".length).replace(/apt-get install\b/, APT_INSTALL);
  return `RUN ${mount} ${installs}`;
}

const CACHES: Readonly<Record<RepoProfile["language"], readonly { name: string; target: string }[]>> = {
  python: [
    { name: "pip", target: "/root/.cache/pip" },
    { name: "uv", target: "/root/.cache/uv" },
  ],
  node: [{ name: "npm", target: "/root/.npm" }],
  go: [],
  rust: [],
};

function packagesInstruction(profile: RepoProfile, { builder, apt }: BuildVariant): string {
  const wrong = profile.packages.findIndex((name) => !PACKAGE_NAME.test(name));
  if (wrong !== -1) {
    throw new UserError(
      `packages[${wrong}]: found ${JSON.stringify(profile.packages[wrong])}; wanted the name of a Debian package.`,
    );
  }
  const packages = [...PACKAGES, ...(builder ? BUILDER_PACKAGES : []), ...profile.packages].join(" ");
  switch (apt) {
    case "standard":
      return `RUN apt-get update && apt-get install -y ${packages} \\\n    && ${CLEAN}`;
    case "archive":
      return `RUN ${ARCHIVE_SOURCES} \\\n    && apt-get ${ANY_DATE} update && apt-get install -y ${packages} \\\n    && ${CLEAN}`;
    case "archive_unauthenticated":
      return `RUN ${ARCHIVE_SOURCES} \\\n    && apt-get ${ANY_DATE} ${UNSIGNED} update && apt-get install -y --allow-unauthenticated ${packages} \\\n    && ${CLEAN}`;
  }
}

const CLEAN = "rm -rf /var/lib/apt/lists/*";
const ANY_DATE = "-o Acquire::Check-Valid-Until=false";
const UNSIGNED = "-o Acquire::AllowInsecureRepositories=true";

/** The sources of a release that Debian's mirrors have dropped, in both of their forms. */
const ARCHIVE_SOURCES = [
  "for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do",
  '[ ! -f "$file" ] ||',
  "sed -i -E -e 's#https?://(deb|security|httpredir|ftp)\\.debian\\.org/#http://archive.debian.org/#g'",
  "-e '/^deb.*-updates/d' -e '/^Suites:/s/ [^ ]+-updates//g' \"$file\"; done",
].join(" ");

/**
 * A command as its own RUN. What the reader of Dockerfiles would take for something else than text of a shell, such as a line break that
 * begins another instruction, is handed to the shell as an argument instead.
 */
function runInstruction(command: string, what: string): string {
  if (command.includes("\0")) throw new UserError(`${what} contains a NUL character, which no command can hold.`);
  const isPlain = !/[\r\n]|(?:^|\s)\d*<<-?[^<\s]|\\$|^--/.test(command) && !isList(command);
  if (isPlain) return `RUN ${command}`;
  return `RUN ${JSON.stringify(["/bin/sh", "-c", command]).replaceAll("<", "\\u003c")}`;
}

/** Whether a command reads as the JSON list that stands for a program and its arguments, rather than as a test of the shell. */
function isList(command: string): boolean {
  try {
    return command.startsWith("[") && Array.isArray(JSON.parse(command));
  } catch {
    return false;
  }
}

function envInstruction(name: string, value: string): string {
  if (!ENV_NAME.test(name)) {
    throw new UserError(`env: ${JSON.stringify(name)} is not a valid name of an environment variable.`, {
      hint: "Use letters, digits and underscores, not starting with a digit.",
    });
  }
  if (value.includes("\0")) throw new UserError(`env.${name} contains a NUL character, which no variable can hold.`);
  if (value.includes("\r")) return `ENV ${name}=${quoteLiteral(value, `env.${name}`)}`;
  const quoted = value.split("\n").map((line) => quoteLiteral(line, `env.${name}`).slice(1, -1));
  return `ENV ${name}="${quoted.join(`\${${NEWLINE_ARGUMENT}}`)}"`;
}
