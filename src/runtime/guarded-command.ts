import type { Command } from "../plan/command.ts";

/**
 * Ends what it runs when whoever holds the other end of its stdin is gone, however that went, and removes the container that it was
 * told of. It ends as its command does. What went into a session of its own, as what podman builds does, gets no signal of the group;
 * its own processes come first among the descendants, and so are ended last.
 */
const GUARD_SCRIPT = `exec 3<&0 </dev/null
trap : HUP INT TERM
descendants() {
  for child in $(cat "/proc/$1/task"/*/children); do
    echo "$child"
    descendants "$child"
  done
}
{
  trap '' HUP INT TERM
  read -r _ <&3
  trap '' USR1
  family=
  for one in $(descendants $$); do family="$one $family"; done
  kill -TERM 0
  for pause in 0 1 2; do
    sleep "$pause"
    [ -z "$1" ] || "$2" rm --force --volumes "$1"
  done
  kill -KILL $family
} >/dev/null 2>&1 &
guard=$!
shift
"$@" 3<&-
status=$?
kill -USR1 "$guard"
exit "$status"`;

/**
 * The command of an engine's client as one that does not outlive this process, not even where that is killed; to be started with a
 * lifeline and a process group of its own. `container` is what it makes, and what then goes too.
 */
export function guardedCommand({ file, args, env }: Command, container = ""): Command {
  return { file: "/bin/sh", args: ["-c", GUARD_SCRIPT, "guard", container, file, ...args], env };
}
