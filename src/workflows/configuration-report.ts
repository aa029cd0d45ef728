import { substituteObject } from "../devcontainer/substitute.ts";
import type { JsonObject } from "../json.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";

/** What is known of the container when a configuration is reported; absent, its variables stay as written. */
export interface KnownContainer {
  readonly devcontainerId?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A configuration as commands print it: variables replaced as far as they are known, and where it came from as a URI object. */
export function configurationReport(
  configuration: LoadedConfiguration,
  known: KnownContainer,
  explicit: boolean,
): JsonObject {
  const substituted = substituteObject(configuration.substitutedConfig, {
    devcontainerId: known.devcontainerId,
    containerEnv: known.env,
  });
  const { configPath } = configuration;
  return {
    ...substituted,
    configFilePath: { $mid: 1, fsPath: configPath, path: configPath, scheme: explicit ? "file" : "vscode-fileHost" },
  };
}
