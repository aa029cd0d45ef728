import { containerNotFound } from "./find-container.ts";
import { type ContainerPlace, findMeantContainer } from "./find-meant-container.ts";
import type { Tools } from "./tools.ts";

/** Which container's output is wanted, and how much of it. */
export interface LogsRequest {
  readonly place: ContainerPlace;
  readonly dockerPath: string | undefined;
  readonly follow: boolean;
  readonly tail: string | undefined;
  readonly timestamps: boolean;
}

/** Passes on what a container printed, each stream to its own; resolves to the engine's exit code. */
export async function showLogs(request: LogsRequest, tools: Tools): Promise<number> {
  const { engine, details } = await findMeantContainer(request.place, request.dockerPath, tools);
  if (details === undefined) throw containerNotFound(`${request.place.workspaceFolder} has none.`);
  const args = [
    "logs",
    ...(request.follow ? ["--follow"] : []),
    ...(request.tail === undefined ? [] : ["--tail", request.tail]),
    ...(request.timestamps ? ["--timestamps"] : []),
    details.id,
  ];
  const { exitCode } = await tools.runProcess(
    { file: engine.path, args, env: {} },
    {
      onOutput: (text, stream) =>
        stream === "stdout" ? tools.terminal.writeData(text) : tools.terminal.writeMessage(text),
    },
  );
  return exitCode;
}
