import { stopContainer } from "../workflows/stop-container.ts";
import type { CliCommand } from "./command.ts";
import { checkIdLabels } from "./flag-groups.ts";
import { printOutcome } from "./outcome.ts";
import { PLACE_FLAGS, readPlace } from "./place-flags.ts";

/** `stop`: stops the workspace's container, or its Compose project; `up` starts it again. */
export const stop: CliCommand = {
  name: "stop",
  description: "Stop this workspace's container, or its Compose project",
  flags: PLACE_FLAGS,
  positionals: { kind: "words", atMost: 0 },
  check: checkIdLabels,
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred stopping the container.", async () => {
      const request = { place: readPlace(flags, tools), dockerPath: flags.string("docker-path") };
      const { containers, composeProject } = await stopContainer(request, tools);
      const what = composeProject === undefined ? "" : ` of the Compose project ${composeProject}`;
      tools.log.info(containers.length === 0 ? "Nothing runs." : `Stopped ${containers.map(short).join(", ")}${what}.`);
      return { stopped: [...containers] };
    }),
};

function short(id: string): string {
  return id.slice(0, 12);
}
