import type { LifecycleResult } from "../devcontainer/lifecycle.ts";
import { maskLog } from "../host/mask-log.ts";
import { enterContainer } from "./enter-container.ts";
import { containerNotFound } from "./find-container.ts";
import { type ContainerPlace, findMeantContainer } from "./find-meant-container.ts";
import { type MountFlags, tryLoadConfiguration } from "./load-configuration.ts";
import { refuseUnlessRunning } from "./locate-running-container.ts";
import { readSecrets } from "./read-secrets.ts";
import type { Tools } from "./tools.ts";
import type { RunWishes } from "./up-request.ts";

/** Which container's hooks are run, and how. */
export interface RunHooksRequest {
  readonly place: ContainerPlace;
  readonly overrideConfigPath: string | undefined;
  readonly mountFlags: MountFlags;
  readonly dockerPath: string | undefined;
  readonly run: RunWishes;
}

/** Runs what has not run yet of a running container's hooks; resolves to how far they were meant to be run. */
export async function runHooksOfWorkspace(request: RunHooksRequest, given: Tools): Promise<LifecycleResult> {
  const secrets = readSecrets(request.run.secretsFile);
  const tools: Tools = { ...given, log: maskLog(given.log, Object.values(secrets.env)) };
  const { place, overrideConfigPath, mountFlags } = request;
  const selected = place.containerId !== undefined || place.idLabels.length > 0;
  const configuration = tryLoadConfiguration(
    {
      ...place,
      workspaceFolder: place.hasWorkspace ? place.workspaceFolder : undefined,
      overrideConfigPath,
      mountFlags,
    },
    { optional: selected, tools },
  );
  const { engine, details, idLabels } = await findMeantContainer(place, request.dockerPath, tools);
  if (details === undefined) throw containerNotFound(`${place.workspaceFolder} has none.`);
  refuseUnlessRunning(details);
  const entered = await enterContainer({ engine, details, idLabels, configuration, run: request.run, secrets }, tools);
  return entered.result;
}
