import { dockerfilePath } from "../devcontainer/discover.ts";
import { configuredBuild } from "../dockerfile/dockerfile-build.ts";
import { UserError } from "../errors.ts";
import type { BuildRequest } from "./build-request.ts";
import type { ComposeProject } from "./compose-project.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { resolveDockerfile } from "./resolve-dockerfile.ts";
import { resolveImage } from "./resolve-image.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import type { Tools } from "./tools.ts";

export interface SourceQuestion {
  readonly configuration: LoadedConfiguration;
  /** The project of a Compose configuration. */
  readonly compose: ComposeProject | undefined;
  /** The first platform asked for; undefined takes the engine's own. */
  readonly platform: string | undefined;
}

/** Looks up what the configuration's image, Dockerfile or Compose service is, on the engine and in registries. */
export async function resolveSource(
  request: BuildRequest,
  question: SourceQuestion,
  tools: Tools,
): Promise<ResolvedSource> {
  const { configuration, compose, platform } = question;
  const { config, configPath } = configuration;
  const dockerfile = dockerfilePath(config, configPath);
  if (dockerfile !== undefined) {
    return resolveDockerfile(request, { build: configuredBuild(dockerfile, configuration), platform }, tools);
  }
  if (compose !== undefined) return resolveService(request, { compose, platform }, tools);
  if (config.image === undefined) {
    throw new UserError(
      `No image information specified in devcontainer.json. ${configPath} has neither "image" nor "build.dockerfile".`,
    );
  }
  return resolveImage(request, { reference: config.image, platform }, tools);
}

function resolveService(
  request: BuildRequest,
  { compose, platform }: { readonly compose: ComposeProject; readonly platform: string | undefined },
  tools: Tools,
): Promise<ResolvedSource> {
  const { source, engine } = compose;
  switch (source.kind) {
    case "image":
      return resolveImage(request, { reference: source.reference, platform, engine }, tools);
    case "build":
      return resolveDockerfile(request, { build: source.build, platform, engine }, tools);
  }
}
