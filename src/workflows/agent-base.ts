import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { STOCK_BASE_NAME } from "../agent/image-name.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { configSearch } from "../devcontainer/discover.ts";
import { UserError } from "../errors.ts";
import { isEmptyFolder } from "../host/is-empty-folder.ts";
import { type BuildPlan, PLAN_VERSION } from "../plan/build-plan.ts";
import { deriveTag, hashPlan } from "../plan/plan-hash.ts";
import type { BuildRequest } from "./build-request.ts";
import { expandHome, userConfigFolders } from "./load-agent-settings.ts";
import { type LoadedConfiguration, loadConfiguration } from "./load-configuration.ts";
import { lookUpImages } from "./look-up-images.ts";
import { plannedBuild } from "./planned-build.ts";
import { type PreparedBuild, prepareBuild } from "./prepare-build.ts";
import { resolveImage } from "./resolve-image.ts";
import type { Tools } from "./tools.ts";

/** What an agent is put on: an image that the engine has or can pull, or one that is built first. */
export type AgentBase =
  | { readonly kind: "image"; readonly name: string }
  | { readonly kind: "build"; readonly name: string | undefined; readonly prepared: PreparedBuild };

const STOCK_IMAGE = "docker.io/library/debian:bookworm-slim";
const STOCK_PACKAGES = ["ca-certificates", "curl", "fd-find", "git", "gnupg", "jq", "ripgrep"];

/**
 * The base of an agent's image, first that applies: the configured image, the configured Dockerfile, the workspace's dev container, the
 * stock base. Throws UserError for a configured image that neither exists nor has a Dockerfile.
 */
export async function resolveAgentBase(asked: BuildRequest, settings: AgentSettings, tools: Tools): Promise<AgentBase> {
  // Names, and where the image goes, are asked for the agent's.
  const request = { ...asked, imageNames: [], push: false, output: undefined, load: false, cacheTo: undefined };
  const { custom_base_image: image, custom_base_dockerfile: dockerfile } = settings;
  if (dockerfile !== null) return baseOfDockerfile(request, { image, dockerfile }, tools);
  if (image !== null) return { kind: "image", name: image };
  if (hasDevContainer(request)) {
    const prepared = await prepareBuild(request, loadConfiguration(request, tools), tools);
    return { kind: "build", name: prepared.tags[0], prepared };
  }
  return { kind: "build", name: undefined, prepared: await prepareStockBase(request, tools) };
}

/** Whether a workspace has a devcontainer.json where one is looked for. */
export function hasDevContainer({
  workspaceFolder,
  configPath,
}: Pick<BuildRequest, "workspaceFolder" | "configPath">): boolean {
  if (configPath !== undefined) return true;
  return configSearch({ workspaceFolder, config: undefined, overrideConfig: undefined }).candidates.some(
    (path) => existsSync(path) && !isEmptyFolder(path),
  );
}

async function baseOfDockerfile(
  request: BuildRequest,
  { image, dockerfile }: { readonly image: string | null; readonly dockerfile: string },
  tools: Tools,
): Promise<AgentBase> {
  if (image !== null) {
    const { images } = await lookUpImages([image], { request: { ...request, imageNames: [] } }, tools);
    // Somebody else's: the Dockerfile is for when it is absent, and for those that cooper built from it.
    if (images.has(image) && images.get(image)?.labels["dev.cooper.plan"] === undefined)
      return { kind: "image", name: image };
  }
  const path = findDockerfile(request, dockerfile, tools);
  const imageNames = image === null ? [] : [image];
  const prepared = await prepareBuild({ ...request, imageNames }, configurationOf(path, tools), tools);
  return { kind: "build", name: image ?? nameOf(path, request.workspaceFolder), prepared };
}

/** In the project first, then in the user's own folders. */
function findDockerfile(request: BuildRequest, written: string, tools: Tools): string {
  const home = tools.homeDirectory;
  const looked = [request.workspaceFolder, ...userConfigFolders(tools)].map((folder) =>
    expandHome(written, { home, folder }),
  );
  const found = looked.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
  if (found !== undefined) return found;
  throw new UserError(
    `custom_base_dockerfile ${JSON.stringify(written)} was not found: looked at ${[...new Set(looked)].join(", ")}.`,
    {
      hint: "Write it, or name an image with custom_base_image.",
    },
  );
}

/** Nobody needs a devcontainer.json for a Dockerfile: its own folder is all that there is to say. */
function configurationOf(path: string, tools: Tools): LoadedConfiguration {
  const config = { build: { dockerfile: basename(path), context: "." } };
  const folder = dirname(path);
  return {
    workspaceFolder: folder,
    configPath: join(folder, "cooper.jsonc"),
    config,
    substitutedConfig: {},
    rawConfig: {},
    substitution: { localEnv: tools.environment, platform: process.platform, containerWorkspaceFolder: undefined },
    workspace: { workspaceFolder: "", workspaceMount: undefined, additionalMount: undefined },
  };
}

/** By the project, and the folder in it; a Dockerfile of the user's own by its folder. */
function nameOf(path: string, workspaceFolder: string): string {
  const folder = dirname(path);
  const inside = folder === workspaceFolder || folder.startsWith(`${workspaceFolder}/`);
  const rest = inside ? folder.slice(workspaceFolder.length + 1) : "";
  const suffix = basename(path) === "Dockerfile" ? "" : `-${basename(path)}`;
  const name = inside
    ? [basename(workspaceFolder), ...rest.split("/").filter((part) => part !== "")].join("-")
    : basename(folder);
  return `${name}${suffix}`;
}

async function prepareStockBase(request: BuildRequest, tools: Tools): Promise<PreparedBuild> {
  const source = await resolveImage(
    { ...request, imageNames: [] },
    { reference: STOCK_IMAGE, platform: undefined },
    tools,
  );
  const plan: BuildPlan = {
    version: PLAN_VERSION,
    source: source.plan,
    platforms: [],
    users: { image: "root", container: "root", remote: "root" },
    steps: [{ kind: "packages", manager: "apt-get", packages: STOCK_PACKAGES } as const],
  };
  const tag = deriveTag(STOCK_BASE_NAME, hashPlan(plan));
  const images = await source.engine.inspectImages([tag]);
  return plannedBuild(plan, { request, source, tags: [tag], image: images.get(tag), copyFolders: {} });
}
