import { removeContainer, type Stopped } from "../workflows/stop-container.ts";
import type { CliCommand } from "./command.ts";
import { checkIdLabels } from "./flag-groups.ts";
import { printOutcome } from "./outcome.ts";
import { PLACE_FLAGS, readPlace } from "./place-flags.ts";

/** `down`: removes the workspace's container, or its Compose project, and says what is gone. */
export const down: CliCommand = {
  name: "down",
  description: "Remove this workspace's container, or its Compose project",
  flags: {
    volumes: { type: "boolean", description: "Remove the volumes that were mounted too: what is in them is lost" },
    ...PLACE_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  check: checkIdLabels,
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred removing the container.", async () => {
      const request = { place: readPlace(flags, tools), dockerPath: flags.string("docker-path") };
      const removed = await removeContainer(request, flags.boolean("volumes"), tools);
      for (const line of tell(removed)) tools.log.info(line);
      const { containers, networks, volumes } = removed;
      return { removed: { containers: [...containers], networks: [...networks], volumes: [...volumes] } };
    }),
};

function tell({ containers, networks, volumes }: Stopped): readonly string[] {
  if (containers.length === 0) return ["There is nothing to remove."];
  return [
    `Removed ${containers.map((id) => id.slice(0, 12)).join(", ")}.`,
    ...(networks.length === 0 ? [] : [`Removed the network ${networks.map((id) => id.slice(0, 12)).join(", ")}.`]),
    ...(volumes.length === 0 ? [] : [`Removed the volume ${volumes.join(", ")}.`]),
  ];
}
