import { UserError } from "../errors.ts";
import { formatPlatform, normalizePlatform, parsePlatform } from "../oci/platform.ts";
import type { Engine } from "../runtime/engine.ts";
import type { BuildRequest } from "./build-request.ts";

/** Throws a UserError that names the options which whatever builds cannot honour. */
export function refuseForBackend(kind: Engine["kind"], request: BuildRequest): void {
  const wrong = optionsWithoutUse(kind, request);
  if (wrong.length > 0)
    throw new UserError(`${wrong.join(", ")} cannot be had with ${BACKENDS[kind]}.`, { hint: HINTS[kind] });
  if (kind === "native" && request.platform?.includes(",") === true) {
    throw new UserError(`cooper's own engine builds for one platform at a time, and ${request.platform} are several.`, {
      hint: "Use Docker or Podman for several: --backend engine.",
    });
  }
  if (kind === "native" && request.platform !== undefined) refuseForeignPlatform(request.platform);
}

/** What a processor runs besides its own. */
const KIN: Readonly<Record<string, string>> = { amd64: "386", arm64: "arm" };

/** Throws a UserError where cooper's own engine, which runs steps on this machine's processor, cannot run those of a platform. */
export function refuseForeignPlatform(text: string): void {
  const own = normalizePlatform({ os: "linux", architecture: process.arch });
  const { os, architecture } = parsePlatform(text);
  if (os === own.os && (architecture === own.architecture || architecture === KIN[own.architecture])) return;
  throw new UserError(
    `cooper's own engine runs steps of ${formatPlatform(own)}, which is what this machine is, and ${text} is wanted.`,
    {
      hint: "Use Docker or Podman, which may emulate it (--backend engine), or --backend assemble where nothing has to run.",
    },
  );
}

const BACKENDS = { client: "Docker and Podman", native: "cooper's own engine", none: "--backend assemble" } as const;
const HINTS = {
  client: "Drop them, or use --backend native.",
  native: "Drop them, or use --backend engine.",
  none: "Drop them: nothing runs there that could use them.",
} as const;

function optionsWithoutUse(kind: Engine["kind"], request: BuildRequest): readonly string[] {
  const { network, stepTimeout, builder, secrets, ssh, cacheFrom, cacheTo } = request;
  const own = [...named("--network", network), ...named("--step-timeout", stepTimeout)];
  switch (kind) {
    case "client":
      return own;
    case "native":
      return named("--builder", builder);
    case "none":
      return [
        ...own,
        ...named("--builder", builder),
        ...(secrets.length > 0 ? ["--secret"] : []),
        ...(ssh.length > 0 ? ["--ssh"] : []),
        ...(cacheFrom.length > 0 ? ["--cache-from"] : []),
        ...named("--cache-to", cacheTo),
      ];
  }
}

function named(option: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [option];
}
