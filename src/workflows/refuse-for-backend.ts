import { UserError } from "../errors.ts";
import type { Engine } from "../runtime/engine.ts";
import type { BuildRequest } from "./build-request.ts";

/** Throws a UserError that names the options which whatever builds cannot honour. */
export function refuseForBackend(kind: Engine["kind"], request: BuildRequest): void {
  const wrong = optionsWithoutUse(kind, request);
  if (wrong.length > 0)
    throw new UserError(`${wrong.join(", ")} cannot be had with ${BACKENDS[kind]}.`, { hint: HINTS[kind] });
  if (kind === "native" && request.platform?.includes(",") === true) {
    throw new UserError(`cooper's own engine builds for one platform at a time, and ${request.platform} are several.`, {
      hint: "Build each by itself and join them with your registry's tools, or use Docker with --push.",
    });
  }
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
