import type { Builder } from "../builder.ts";
import { type Check, formatRemedy } from "./check.ts";
import type { EngineFacts } from "./engine-facts.ts";
import { installCommand, type Machine } from "./machine.ts";

/** What builds behind the engine. */
export interface BuilderFacts {
  readonly builder: Builder;
  /** The version of the buildx plugin, if there is one. */
  readonly buildx: string | undefined;
  readonly current: CurrentBuilder | undefined;
  /** The value of BUILDX_BUILDER. */
  readonly named: string | undefined;
}

/** The buildx builder that builds are given to, or why there is none of that name. */
export type CurrentBuilder =
  | { readonly kind: "found"; readonly name: string; readonly driver: string; readonly status: string }
  | { readonly kind: "missing"; readonly found: string };

const LINE = { id: "builder", title: "Builder" } as const;

/** How images would be built: with BuildKit and named contexts, or with what stands in for them; null when it did not say. */
export function checkBuilder(facts: BuilderFacts | null, engine: EngineFacts, machine: Machine): Check {
  if (facts === null) {
    return { ...LINE, status: "warning", detail: "the engine did not say in time what builds images" };
  }
  const { builder } = facts;
  switch (builder.kind) {
    case "buildx":
      return checkBuildx(facts, { namedContexts: builder.namedContexts, engine });
    case "classic":
      return checkClassic(engine, machine);
    case "podman":
      return checkBuildah(engine, builder.namedContexts);
  }
}

function checkBuildx(
  { current, buildx, named }: BuilderFacts,
  { namedContexts, engine }: { namedContexts: boolean; engine: EngineFacts },
): Check {
  if (current?.kind === "missing") {
    const from = named === undefined ? "the current buildx builder" : `BUILDX_BUILDER=${named}`;
    return {
      ...LINE,
      status: "problem",
      detail: `${from} cannot be used: ${current.found}`,
      remedy: formatRemedy({
        text: "Name one that exists, or take the default one:",
        commands: [
          `${engine.path} buildx ls`,
          named === undefined ? `${engine.path} buildx use default` : "unset BUILDX_BUILDER",
        ],
      }),
    };
  }
  const version = buildx === undefined ? "BuildKit" : `BuildKit through buildx ${buildx}`;
  const builder = `${version}${describeCurrent(current, named)}`;
  if (namedContexts) return { ...LINE, status: "ok", detail: `${builder}; Features reach it as a named build context` };
  return {
    ...LINE,
    status: "warning",
    detail: `${builder}; without named build contexts, Features take the longer way through the main one or an image of their own`,
    remedy: "Upgrade docker's engine to 23 or later, and buildx to 0.8 or later.",
  };
}

/** The default builder goes without saying. */
function describeCurrent(current: CurrentBuilder | undefined, named: string | undefined): string {
  if (current?.kind !== "found" || (named === undefined && current.driver === "docker")) return "";
  const from = named === undefined ? "" : ", from BUILDX_BUILDER";
  return `, builder ${current.name} (${current.driver}${current.status === "" ? "" : `, ${current.status}`}${from})`;
}

function checkClassic(engine: EngineFacts, machine: Machine): Check {
  // Debian and Ubuntu call the plugin otherwise than Docker's own repository does.
  const fromDistribution = /dfsg|ubuntu/.test(engine.clientVersion ?? "");
  const install = installCommand(machine, {
    "apt-get": fromDistribution ? "docker-buildx" : "docker-buildx-plugin",
    dnf: "docker-buildx-plugin",
    zypper: "docker-buildx",
    pacman: "docker-buildx",
    apk: "docker-cli-buildx",
    brew: "docker-buildx",
  });
  return {
    ...LINE,
    status: "warning",
    detail:
      "the classic builder, as docker has no buildx plugin: it builds slowly, and --platform, --push, --output, --cache-to, --secret, --ssh and RUN --mount need BuildKit",
    remedy: formatRemedy({ text: "Install the plugin:", commands: install === undefined ? [] : [install] }),
  };
}

function checkBuildah(engine: EngineFacts, namedContexts: boolean): Check {
  const buildah = engine.info?.buildah;
  const builder = `podman build${buildah === undefined ? "" : ` (Buildah ${buildah})`}`;
  if (namedContexts) return { ...LINE, status: "ok", detail: `${builder}; Features reach it as a named build context` };
  return {
    ...LINE,
    status: "warning",
    detail: `${builder}; without named build contexts, Features take the longer way through the main one or an image of their own`,
    remedy: "Upgrade Podman to 4.2 or later.",
  };
}
