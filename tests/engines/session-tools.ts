import { type LifecycleWishes, planLifecycle } from "../../src/devcontainer/lifecycle.ts";
import { type Interruption, uninterrupted } from "../../src/host/interruption.ts";
import { createLog } from "../../src/host/log.ts";
import { createMask, maskLog } from "../../src/host/mask-log.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import type { Terminal } from "../../src/host/terminal.ts";
import { type ContainerDetails, readContainerInspection } from "../../src/runtime/container-details.ts";
import { readContainerMetadata } from "../../src/workflows/container-metadata.ts";
import { knowContainer, openSession } from "../../src/workflows/container-session.ts";
import { type HookPlace, runHooks } from "../../src/workflows/run-hooks.ts";
import type { Tools } from "../../src/workflows/tools.ts";
import { runEngine } from "./builders.ts";
import type { DevContainer } from "./dev-containers.ts";
import { cooperCommand } from "./engines.ts";

/** Tools that act as the executable would, and keep what they said. */
export interface SessionTools extends Tools {
  readonly said: () => string;
}

/** The tools of a run on the container's engine, with what it remembers below its home. */
export function sessionTools(
  container: DevContainer,
  options: {
    readonly interruption?: Interruption;
    readonly secrets?: Readonly<Record<string, string>>;
    readonly format?: "json";
  } = {},
): SessionTools {
  const { env } = cooperCommand([], container);
  const { interruption = uninterrupted, secrets = {} } = options;
  let said = "";
  const terminal: Terminal = {
    writeData: () => {},
    writeMessage: (text) => {
      said += text;
    },
    messagesAreLive: false,
    dataIsLive: false,
    colors: false,
    columns: () => 80,
  };
  const log = createLog(terminal, { level: "trace", format: options.format ?? "text", quiet: false }, () => 0);
  return {
    environment: env,
    workingDirectory: container.folder,
    homeDirectory: container.home,
    terminal,
    log: maskLog(log, Object.values(secrets)),
    runProcess: createRunProcess(env, interruption),
    interruption,
    said: () => said,
  };
}

/** What the engine says of a container. */
export async function detailsOf(container: DevContainer): Promise<ContainerDetails> {
  const [details] = readContainerInspection(
    await runEngine(container.engine, ["inspect", "--type", "container", container.id]),
  );
  if (details === undefined) throw new Error(`there is no container ${container.id}`);
  return details;
}

/** Runs the hooks that are due in a container, as `up` would; its label says which there are. */
export async function enter(
  container: DevContainer,
  tools: Tools,
  options: {
    readonly wishes?: LifecycleWishes;
    readonly secrets?: Readonly<Record<string, string>>;
    readonly dotfiles?: Partial<HookPlace["dotfiles"]>;
  } = {},
) {
  const { secrets = {}, dotfiles = {}, wishes = {} } = options;
  const details = await detailsOf(container);
  const { entries, merged } = readContainerMetadata(details, { configuration: undefined, idLabels: {} }, tools);
  const known = knowContainer(container.engine.path, { details, idLabels: {} }, tools);
  const session = await openSession(
    known,
    {
      merged,
      defaultUserEnvProbe: "none",
      remoteEnv: {},
      workspaceFolder: "/work",
      containerSystemDataFolder: undefined,
      containerSessionDataFolder: undefined,
    },
    tools,
  );
  const place: HookPlace = {
    session,
    secrets: { env: secrets, mask: createMask(Object.values(secrets)) },
    containerDataFolder: undefined,
    dotfiles: { repository: undefined, installCommand: undefined, targetPath: "~/dotfiles", ...dotfiles },
  };
  return runHooks(planLifecycle(entries, { ...wishes, waitFor: merged.waitFor }), place, tools);
}
