import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import * as v from "valibot";
import { lockfilePath } from "../devcontainer/discover.ts";
import { devContainerSchema, type FeatureValue } from "../devcontainer/schema.ts";
import { UserError } from "../errors.ts";
import { advisoriesText, findAdvisories } from "../features/advisories.ts";
import { parseLockfile, reconcileLockfile } from "../features/lockfile.ts";
import { featureWarningText } from "../features/warning.ts";
import { cacheDirectory } from "../store/directories.ts";
import type { BuildRequest } from "./build-request.ts";
import { loadControlManifest, refuseDisallowedFeatures } from "./control-manifest.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { openFeaturePorts } from "./open-feature-ports.ts";
import { type ResolvedFeature, resolveFeatures } from "./resolve-features.ts";
import type { Tools } from "./tools.ts";

/** The Features of a configuration, ready to install. */
export interface ConfiguredFeatures {
  /** In install order. */
  readonly features: readonly ResolvedFeature[];
  /** The lockfile to write once they are built; undefined when it is to stay as it is. */
  readonly lockfile: { readonly path: string; readonly text: string } | undefined;
}

/**
 * Resolves the Features of devcontainer.json and of the command line, honouring the lockfile, and tells what their users should
 * read. Throws UserError for a Feature that cannot be had or may not be used, and for a frozen lockfile that differs.
 */
export async function resolveConfiguredFeatures(
  request: BuildRequest,
  configuration: LoadedConfiguration,
  tools: Tools,
): Promise<ConfiguredFeatures> {
  const { config, configPath, workspaceFolder } = configuration;
  const additionalFeatures = parseAdditionalFeatures(request.additionalFeatures);
  const userIds = [...Object.keys(config.features ?? {}), ...Object.keys(additionalFeatures)];
  if (userIds.length === 0) return { features: [], lockfile: undefined };
  const path = lockfilePath(configPath);
  const existing = request.lockfile === "off" ? undefined : readIfThere(path);
  const ports = openFeaturePorts(tools);
  const published = userIds.filter((userId) => !/^\.{0,2}\//.test(userId));
  const controlled =
    published.length === 0
      ? undefined
      : loadControlManifest({ ...ports, cacheFolder: cacheDirectory(tools), now: Date.now });
  const resolving = resolveFeatures(
    {
      configFolder: dirname(configPath),
      workspaceFolder,
      features: config.features ?? {},
      additionalFeatures,
      overrideFeatureInstallOrder: config.overrideFeatureInstallOrder,
      lockfile: existing === undefined ? undefined : parseLockfile(existing, { file: path }),
    },
    ports,
  );
  // Judged first, although it may be known last.
  resolving.catch(() => undefined);
  const control = await controlled;
  if (control !== undefined) refuseDisallowedFeatures(control, published);
  const resolved = await resolving;
  for (const warning of resolved.warnings) tools.log.warning(featureWarningText(warning));
  const advisories = control && advisoriesText(findAdvisories(control, publishedVersions(resolved.features)));
  if (advisories !== undefined) tools.log.warning(advisories);
  if (request.lockfile === "off") return { features: resolved.features, lockfile: undefined };
  const change = reconcileLockfile(resolved.lockfile, { existing, frozen: request.lockfile === "frozen" });
  return { features: resolved.features, lockfile: change.kind === "write" ? { path, text: change.text } : undefined };
}

function publishedVersions(features: readonly ResolvedFeature[]): { resource: string; version: string }[] {
  return features.flatMap(({ reference, manifest }) =>
    reference.kind === "oci" && manifest.version !== undefined
      ? [{ resource: reference.resource, version: manifest.version }]
      : [],
  );
}

function parseAdditionalFeatures(text: string | undefined): Readonly<Record<string, FeatureValue>> {
  if (text === undefined) return {};
  const errors: ParseError[] = [];
  const features: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  const parsed = v.safeParse(devContainerSchema, { features });
  if (first === undefined && parsed.success) return parsed.output.features ?? {};
  const found = first === undefined ? text : `${printParseErrorCode(first.error)} at character ${first.offset + 1}`;
  throw new UserError(`--additional-features is no JSON object of Features: found ${found}.`, {
    hint: `Write it like '{"ghcr.io/devcontainers/features/git:1": {"version": "latest"}}'.`,
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
