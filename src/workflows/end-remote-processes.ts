import { execCommand } from "../runtime/exec-command.ts";
import type { Tools } from "./tools.ts";

/** The variable by which the processes of one `exec` are found again in the container. */
export const PROCESS_MARK = "COOPER_PROCESS";

/** One `exec` whose client ended before what it started in the container. */
export interface LostExec {
  readonly enginePath: string;
  readonly container: string;
  /** Undefined for the container's own. */
  readonly user: string | undefined;
  /** The value of its PROCESS_MARK. */
  readonly mark: string;
}

/** Prints the sessions of all processes that have the mark in their environment, which only their own user may read. */
const findScript = `
for directory in /proc/[0-9]*; do
  if grep -q "${PROCESS_MARK}=$1" "$directory/environ" && read -r line <"$directory/stat"; then
    (set -- \${line##*) }; echo "$4")
  fi
done 2>/dev/null | sort -u
exit 0
`;

/** Ends the processes of these sessions and all that descend from them: politely, two seconds later not. */
const endScript = `
sessions=" $* "
choose() {
  grown=1
  while [ -n "$grown" ]; do
    grown=
    for directory in /proc/[0-9]*; do
      pid=\${directory#/proc/}
      case "$chosen" in *" $pid "*) continue ;; esac
      { read -r line <"$directory/stat"; } 2>/dev/null || continue
      set -- \${line##*) }
      if [ "$1" = Z ] || [ "$pid" = 1 ]; then continue; fi
      case "$sessions" in *" $4 "*) chosen="$chosen$pid "; grown=1; continue ;; esac
      case "$chosen" in *" $2 "*) chosen="$chosen$pid "; grown=1 ;; esac
    done
  done
}
chosen=" "
choose
[ "$chosen" != " " ] && kill -TERM $chosen 2>/dev/null
for round in 1 2 3 4 5 6 7 8 9 10; do
  alive=
  for pid in $chosen; do
    { read -r line <"/proc/$pid/stat"; } 2>/dev/null || continue
    set -- \${line##*) }
    [ "$1" = Z ] || alive=1
  done
  [ -n "$alive" ] || break
  sleep 0.2
done
choose
[ "$chosen" != " " ] && kill -KILL $chosen 2>/dev/null
exit 0
`;

/** Ends, in the container, what an `exec` started there and its client left behind; runs although the work was interrupted. */
export async function endRemoteProcesses(lost: LostExec, tools: Pick<Tools, "runProcess" | "log">): Promise<void> {
  const run = async (user: string | undefined, words: readonly string[]) => {
    const command = execCommand(lost.enginePath, {
      container: lost.container,
      user,
      command: ["/bin/sh", "-c", ...words],
    });
    return await tools.runProcess(command, { regardless: true, timeoutMilliseconds: 15_000 });
  };
  try {
    const sessions = (await run(lost.user, [findScript, "sh", lost.mark])).stdout
      .split("\n")
      .filter((line) => /^\d+$/.test(line));
    if (sessions.length === 0) return;
    tools.log.debug(`Ending what was left in the container: sessions ${sessions.join(", ")}`);
    // What the user started as somebody else (sudo) only root can end.
    const { exitCode } = await run("0", [endScript, "sh", ...sessions]);
    if (exitCode !== 0) await run(lost.user, [endScript, "sh", ...sessions]);
  } catch (error) {
    tools.log.debug(`Could not end what was left in the container: ${String(error)}`);
  }
}
