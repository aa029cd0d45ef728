import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { composeFilesOf } from "../compose/compose-files.ts";
import { type ComposeModel, type ComposeService, readComposeModel } from "../compose/compose-model.ts";
import { checkRunServices, findService } from "../compose/find-service.ts";
import { projectNameOf, serviceImageName } from "../compose/project-name.ts";
import { type ServiceSource, serviceSource } from "../compose/service-source.ts";
import { dockerfilePath } from "../devcontainer/discover.ts";
import { UserError } from "../errors.ts";
import { type ComposeClient, findComposeClient, ownComposeClient } from "../runtime/compose-client.ts";
import { composeConfig, type ProjectFiles } from "../runtime/compose-commands.ts";
import type { Engine } from "../runtime/engine.ts";
import { failedCommand } from "../runtime/engine-failure.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** A Compose project as Compose itself reads it, with the service that is the dev container. */
export interface ComposeProject extends ProjectFiles {
  readonly name: string;
  readonly engine: Engine;
  readonly client: ComposeClient;
  readonly model: ComposeModel;
  readonly serviceName: string;
  readonly service: ComposeService;
  readonly source: ServiceSource;
  /** What Compose calls the service's image: the image that it names, else a name of project and service. */
  readonly imageName: string;
}

/** Which engine's Compose is asked. */
export interface ComposeQuestion {
  readonly dockerPath: string | undefined;
  readonly dockerComposePath: string | undefined;
  /** The engine, where it is known already. */
  readonly engine?: Engine | undefined;
}

const FAILED = "An error occurred retrieving the Docker Compose configuration.";

/** Whether the container of a configuration is a Compose service's. */
export function usesCompose({ config, configPath }: Pick<LoadedConfiguration, "config" | "configPath">): boolean {
  return config.dockerComposeFile !== undefined && dockerfilePath(config, configPath) === undefined;
}

/** Has Compose read the project of a configuration; throws UserError with Compose's own words, or for a service that it lacks. */
export async function readComposeProject(
  question: ComposeQuestion,
  configuration: LoadedConfiguration,
  tools: Tools,
): Promise<ComposeProject> {
  const { config } = configuration;
  const dotEnv = readIfThere(join(configuration.workspaceFolder, ".env"));
  const { environment } = tools;
  const files = composeFilesOf(config.dockerComposeFile ?? [], {
    ...configuration,
    environment,
    dotEnv,
    exists: existsSync,
  });
  const { engine, client, model } = await askCompose(question, files, tools);
  const service = findService(model, config.service);
  const serviceName = config.service ?? "";
  checkRunServices(model, config.runServices ?? []);
  const name = projectNameOf({
    environment,
    dotEnv,
    resolvedName: model.name ?? undefined,
    files: files.files.map((path) => ({ path, text: readIfThere(path) ?? "" })),
    workspaceFolder: configuration.workspaceFolder,
  });
  return {
    ...files,
    name,
    engine,
    client,
    model,
    serviceName,
    service,
    source: serviceSource(model, serviceName, service),
    imageName: service.image || serviceImageName(name, serviceName, client.version),
  };
}

interface Answer {
  readonly engine: Engine;
  readonly client: ComposeClient;
  readonly model: ComposeModel;
}

/** Asks the likely engine's Compose while it is still being found out whether that engine answers: Compose reads files without it. */
async function askCompose(question: ComposeQuestion, files: ProjectFiles, tools: Tools): Promise<Answer> {
  if (question.engine !== undefined) return askComposeOf(question.engine, { question, files }, tools);
  const engines = engineCandidates(question.dockerPath, tools);
  const likely = askComposeOf(engines[0], { question, files }, tools);
  likely.catch(() => undefined);
  const { engine } = await reachEngine(engines, (candidate) => candidate.inspectImages([]));
  return engine === engines[0] ? likely : askComposeOf(engine, { question, files }, tools);
}

/** Has the engine's own Compose read the project while its version is still being asked for: it seldom is another in the end. */
async function askComposeOf(
  engine: Engine,
  asked: { readonly question: ComposeQuestion; readonly files: ProjectFiles },
  tools: Tools,
): Promise<Answer> {
  const likely = tools.runProcess(composeConfig(ownComposeClient(engine), asked.files));
  likely.catch(() => undefined);
  const wishes = { composePath: asked.question.dockerComposePath, environment: tools.environment };
  const client = await findComposeClient(engine, wishes);
  const command = composeConfig(client, asked.files);
  const { exitCode, stdout, stderr } = await (client.file === engine.path ? likely : tools.runProcess(command));
  if (exitCode === 0) {
    for (const warning of stderr.split("\n").filter((line) => line.trim() !== "")) tools.log.debug(warning);
    return { engine, client, model: readComposeModel(stdout) };
  }
  const { message } = failedCommand(command, exitCode, stderr);
  throw new UserError(message, { description: FAILED, ...hintFor(asked.files, stderr) });
}

function hintFor({ files }: ProjectFiles, stderr: string): { hint?: string } {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) {
    return {
      hint: `There is no ${missing.join(", ")}: check "dockerComposeFile" in devcontainer.json, it is relative to that file.`,
    };
  }
  if (!stderr.includes("types.SSHKey")) return {};
  return {
    hint: 'This version of Docker Compose cannot print "ssh" keys of a build as JSON: update it, or use ssh: ["default"].',
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
