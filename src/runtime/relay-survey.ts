import { RELAY_TOOLS, type RelayTool } from "./relay.ts";

/** What a container has for port forwarding. */
export interface RelaySurvey {
  /** Undefined when there is nothing that a relay could run with. */
  readonly tool: RelayTool | undefined;
  /** The TCP ports on which anything listens, on whatever address; undefined when that could not be read. */
  readonly listening: ReadonlySet<number> | undefined;
}

/** What `sh` runs in the container: prints the best tool that works and, after an empty line, the kernel's tables of sockets. */
export const SURVEY_SCRIPT = `works() { "$@" >/dev/null 2>&1; }
if works perl -MSocket=getaddrinfo -MFcntl -MErrno -e 1; then echo perl
elif works python3 -I -S -c 'import socket, threading'; then echo python3
elif works ruby --disable=gems,rubyopt -rsocket -e 1; then echo ruby
elif works node -e 1; then echo node
elif works bash -p -c 'command -v dd'; then echo bash
else case "$(busybox nc --help 2>&1)" in *"-e PROG"*) echo busybox ;; esac
fi
echo
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null
:`;

const LISTEN_STATE = "0A";

/** Reads what the survey's script printed. */
export function readRelaySurvey(stdout: string): RelaySurvey {
  const [toolName = "", ...tables] = stdout.split("\n");
  const rows = tables.map((line) => line.trim().split(/\s+/)).filter(([slot]) => /^\d+:$/.test(slot ?? ""));
  const hasTables = tables.some((line) => line.includes("local_address"));
  const ports = rows
    .filter(([, , , state]) => state === LISTEN_STATE)
    .map(([, local = ""]) => Number.parseInt(local.split(":")[1] ?? "", 16));
  return {
    tool: RELAY_TOOLS.find((name) => name === toolName),
    listening: hasTables ? new Set(ports.filter((port) => !Number.isNaN(port))) : undefined,
  };
}
