import { mergedConfiguration } from "../devcontainer/merge.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { configurationReport } from "./configuration-report.ts";
import { enterContainer } from "./enter-container.ts";
import { containerNotFound, findContainer } from "./find-container.ts";
import { loadConfiguration } from "./load-configuration.ts";
import { refuseUnlessRunning } from "./locate-running-container.ts";
import { engineCandidates } from "./open-engine.ts";
import { readSecrets } from "./read-secrets.ts";
import type { Tools } from "./tools.ts";
import type { RunWishes } from "./up-request.ts";

/** Which container is made ready, and with which configuration, if any. */
export interface SetUpRequest {
  readonly containerId: string;
  /** Absolute. */
  readonly configPath: string | undefined;
  readonly dockerPath: string | undefined;
  readonly run: RunWishes;
  readonly includeConfiguration: boolean;
  readonly includeMerged: boolean;
}

/** Runs the hooks of a container that something else started; resolves to the members of the reference CLI's `set-up` result. */
export async function setUpContainer(request: SetUpRequest, tools: Tools): Promise<JsonObject> {
  const { containerId, configPath } = request;
  const secrets = readSecrets(request.run.secretsFile);
  const configuration =
    configPath === undefined ? undefined : loadConfiguration({ workspaceFolder: undefined, configPath }, tools);
  const wish = { kind: "id", containerId, labels: undefined } as const;
  const engines = engineCandidates(request.dockerPath, tools);
  const { engine, answer } = await reachEngine(engines, (candidate) => findContainer(candidate, wish));
  const { details, idLabels } = answer;
  if (details === undefined) throw containerNotFound(`There is no container ${containerId}.`);
  refuseUnlessRunning(details);
  const entered = await enterContainer({ engine, details, idLabels, configuration, run: request.run, secrets }, tools);
  const report = configuration === undefined ? {} : configurationReport(configuration, { env: details.env }, true);
  const merged: unknown = mergedConfiguration(report, entered.merged);
  return {
    ...(request.includeConfiguration ? { configuration: report } : {}),
    ...(request.includeMerged && isJsonObject(merged) ? { mergedConfiguration: merged } : {}),
  };
}
