import { type ForwardRequest, forwardPorts } from "../workflows/forward-ports.ts";
import type { LocalPort } from "../workflows/forward-ports-listen.ts";
import type { Tools } from "../workflows/tools.ts";
import { reportFailure } from "./report-failure.ts";

/**
 * Forwards ports until their container stops or a signal comes, `onReady` getting the mapping once it stands; resolves to the exit
 * code. Throws what goes wrong before it stands.
 */
export async function forwardUntilEnd(
  request: ForwardRequest,
  tools: Tools,
  onReady: (local: readonly LocalPort[]) => void = () => {},
): Promise<number> {
  let isReady = false;
  const ready = (local: readonly LocalPort[]) => {
    isReady = true;
    onReady(local);
  };
  try {
    const end = await forwardPorts(request, ready, tools);
    switch (end.kind) {
      case "interrupted":
        tools.log.info("Ports are no longer forwarded.");
        return end.exitCode;
      case "container-stopped":
        tools.log.error("The container stopped, so its ports are no longer forwarded.\nStart it again with cooper up.");
        return 1;
    }
  } catch (error) {
    if (isReady) return reportFailure(error, tools);
    throw error;
  }
}
