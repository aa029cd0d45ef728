import { buildContextPath } from "../devcontainer/discover.ts";
import type { DevContainerConfig } from "../devcontainer/schema.ts";

/** How a user has an image built: the same whether devcontainer.json or a Compose service says so. */
export interface DockerfileBuild {
  readonly dockerfile: DockerfileText;
  /** Absolute. */
  readonly context: string;
  /** Where the context comes from, for those who have to correct it. */
  readonly contextHint: string;
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Further arguments of the engine's build command. */
  readonly options: readonly string[];
  readonly cacheFrom: readonly string[];
  /** Other build contexts by the name that the Dockerfile knows them by. */
  readonly namedContexts: Readonly<Record<string, NamedContext>>;
}

/** A Dockerfile on disk, by its absolute path, or one that has no file. */
export type DockerfileText =
  | { readonly kind: "file"; readonly path: string; readonly hint: string }
  | { readonly kind: "inline"; readonly text: string; readonly name: string };

/** What a named build context is: an image, a folder by its absolute path, or something that only the builder can read. */
export type NamedContext =
  | { readonly kind: "image"; readonly reference: string }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "remote"; readonly location: string };

/** The build that a devcontainer.json with a Dockerfile at this absolute path asks for. */
export function configuredBuild(
  dockerfile: string,
  configuration: { readonly config: DevContainerConfig; readonly configPath: string },
): DockerfileBuild {
  const build = configuration.config.build ?? {};
  return {
    dockerfile: {
      kind: "file",
      path: dockerfile,
      hint: 'Check "build.dockerfile" in devcontainer.json; it is relative to that file.',
    },
    context: buildContextPath(configuration.config, configuration.configPath),
    contextHint: 'Check "build.context" in devcontainer.json; it is relative to that file.',
    target: build.target,
    buildArgs: build.args ?? {},
    options: build.options ?? [],
    cacheFrom: [build.cacheFrom ?? []].flat(),
    namedContexts: {},
  };
}
