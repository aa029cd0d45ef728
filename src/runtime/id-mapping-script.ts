/**
 * Becomes `unshare --user`, for a util-linux before 2.38, which cannot look up subordinate ids: a process in the background waits until
 * the namespace is there, has its ids mapped, and lets it go on. stdin, signals and the exit code stay those of unshare. Takes the
 * arguments of newuidmap and of newgidmap behind the process id, each as one, then those of unshare with the program to run.
 */
export const ID_MAPPING_SCRIPT = `set -e
uids=$1 gids=$2
shift 2
pipes=$(mktemp -d "\${TMPDIR:-/tmp}/cooper-ids.XXXXXX")
mkfifo -m 600 "$pipes/there" "$pipes/go"
exec 3<>"$pipes/there" 4<"$pipes/there" 5<>"$pipes/go" 6<"$pipes/go"
(
  exec 3>&- 6<&- </dev/null >/dev/null
  rm -rf "$pipes"
  read -r pid rest <&4 || exit 0
  newuidmap "$pid" $uids && newgidmap "$pid" $gids && echo >&5
) &
exec 4<&- 5>&-
exec unshare --user "$@"
`;

/** Runs in the new namespace, before what is to run there: says which process it is, and waits for its ids. Ends with 125 if it gets none. */
export const ID_WAITING_SCRIPT = `read -r pid rest </proc/self/stat && echo "$pid" >&3 && read -r go <&6 || exit 125
exec 3>&- 6<&-
exec "$@"
`;
