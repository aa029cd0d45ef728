import { mirrorsVariable, plainHttpVariable } from "../registry/registry-settings.ts";
import type { Tools } from "../workflows/tools.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";

/** How registries are to be reached. */
export const REGISTRY_FLAGS = {
  "plain-http": {
    type: "string",
    multiple: true,
    valueHint: "registry",
    description: `A registry to speak to without TLS (also: ${plainHttpVariable})`,
  },
  mirror: {
    type: "string",
    multiple: true,
    valueHint: "registry=mirror",
    description: `A mirror to read from before a registry itself (also: ${mirrorsVariable})`,
  },
} as const satisfies FlagDefinitions;

/** The tools of a run whose options say how registries are reached: they add to what the environment says. */
export function withRegistryFlags(flags: Flags, tools: Tools): Tools {
  const { environment } = tools;
  const added = (name: string, variable: string) => [...flags.list(name), environment[variable] ?? ""].join(",");
  return {
    ...tools,
    environment: {
      ...environment,
      [plainHttpVariable]: added("plain-http", plainHttpVariable),
      [mirrorsVariable]: added("mirror", mirrorsVariable),
    },
  };
}

/** As `withRegistryFlags`, for a run whose `--docker-path` says which engine images are read from and loaded into. */
export function withImageFlags(flags: Flags, tools: Tools): Tools {
  const reaching = withRegistryFlags(flags, tools);
  const path = flags.string("docker-path");
  if (path === undefined) return reaching;
  return { ...reaching, environment: { ...reaching.environment, COOPER_DOCKER_PATH: path } };
}
