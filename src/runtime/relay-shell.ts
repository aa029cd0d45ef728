import { NOTHING_LISTENS } from "./relay-programs.ts";

/**
 * Moves bytes between the server, file descriptor 5, and the relay's own input and output, 3 and 4, until the server has said
 * everything or the input ends. Every child is waited for: the container's first process may not be one that does. A signal may come
 * before a child's number is known, and one that can be caught may be lost while the child is made. It is dd because busybox's cat has
 * the kernel move the bytes, which keeps the pipe locked for its reader while the server is silent.
 */
const PUMP = `gone= job= answer=
{
  trap 'gone=1; kill -9 $job' TERM
  dd bs=65536 <&3 >&5 & job=$!
  [ -z "$gone" ] || kill -9 "$job"
  wait "$job" && kill $$
  wait
} 4>&- &
sender=$!
trap 'gone=1; kill -9 $answer' TERM
dd bs=65536 <&5 >&4 & answer=$!
[ -z "$gone" ] || kill -9 "$answer"
wait "$answer"
kill "$sender"
wait
exit 0`;

/** The relay on bash's own way to open connections: plain bytes on stdin and stdout. */
export const BASH_RELAY = `exec 3<&0 4>&1 2>/dev/null
port=$1
shift
for host; do
  exec 5<>"/dev/tcp/$host/$port" || continue
${PUMP}
done
exit ${NOTHING_LISTENS}`;

/** The same on busybox, whose nc hands the connection to a program; that program is the argument before the port. */
export const BUSYBOX_RELAY = `exec 3<&0 4>&1 2>/dev/null
pump=$1 port=$2
shift 2
for host; do
  busybox nc "$host" "$port" -e sh -c "$pump" && exit 0
done
exit ${NOTHING_LISTENS}`;

/** What busybox's nc runs. */
export const BUSYBOX_PUMP = `exec 5<&0
${PUMP}`;
