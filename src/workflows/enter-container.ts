import type { IdLabels } from "../devcontainer/identity.ts";
import { type LifecycleResult, planLifecycle } from "../devcontainer/lifecycle.ts";
import type { MergedMetadata } from "../devcontainer/merge.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { readContainerMetadata } from "./container-metadata.ts";
import { knowContainer, openSession } from "./container-session.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import type { Secrets } from "./read-secrets.ts";
import { runHooks } from "./run-hooks.ts";
import { remoteUserFor } from "./survey-container.ts";
import type { Tools } from "./tools.ts";
import type { RunWishes } from "./up-request.ts";

/** A running container that is to be made ready for work. */
export interface ContainerToEnter {
  readonly engine: Engine;
  readonly details: ContainerDetails;
  readonly idLabels: IdLabels;
  readonly configuration: LoadedConfiguration | undefined;
  readonly run: RunWishes;
  readonly secrets: Secrets;
}

/** What became of it. */
export interface EnteredContainer {
  readonly result: LifecycleResult;
  readonly merged: MergedMetadata;
  readonly remoteUser: string;
}

/** Runs the hooks and installs the dotfiles that are due in a running container; throws UserError for the first that fails. */
export async function enterContainer(entering: ContainerToEnter, tools: Tools): Promise<EnteredContainer> {
  const { engine, details, idLabels, configuration, run, secrets } = entering;
  const { entries, merged } = readContainerMetadata(details, { configuration, idLabels }, tools);
  const plan = planLifecycle(entries, { ...run.lifecycle, waitFor: merged.waitFor });
  const remoteUser = remoteUserFor(merged.remoteUser, details.user).name;
  if (plan.steps.length === 0) return { result: plan.result, merged, remoteUser };
  const known = knowContainer(engine.path, { details, idLabels }, tools);
  const wishes = { ...run, merged, workspaceFolder: configuration?.workspace.workspaceFolder };
  const session = await openSession(known, wishes, tools);
  const place = { session, secrets, containerDataFolder: run.containerDataFolder, dotfiles: run.dotfiles };
  return { result: await runHooks(plan, place, tools), merged, remoteUser };
}
