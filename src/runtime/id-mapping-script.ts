const NEW_ID_MAP = 'newuidmap "$pid" $uids && newgidmap "$pid" $gids';
const WRITE_ID_MAP = 'printf "%s\\n" "$uids" >"/proc/$pid/uid_map" && printf "%s\\n" "$gids" >"/proc/$pid/gid_map"';

const scriptWith = (mapping: string) => `set -e
uids=$1 gids=$2
shift 2
pipes=$(mktemp -d "\${TMPDIR:-/tmp}/cooper-ids.XXXXXX")
mkfifo -m 600 "$pipes/there" "$pipes/go"
exec 3<>"$pipes/there" 4<"$pipes/there" 5<>"$pipes/go" 6<"$pipes/go"
(
  exec 3>&- 6<&- </dev/null >/dev/null
  rm -rf "$pipes"
  read -r pid rest <&4 || exit 0
  ${mapping} && echo >&5
) &
exec 4<&- 5>&-
exec unshare --user "$@"
`;

/**
 * Becomes `unshare --user`, for a util-linux before 2.38, which cannot look up subordinate ids: a process in the background waits until
 * the namespace is there, has its ids mapped, and lets it go on. stdin, signals and the exit code stay those of unshare. Takes the
 * arguments of newuidmap and of newgidmap behind the process id, each as one, then those of unshare with the program to run.
 */
export const ID_MAPPING_SCRIPT = scriptWith(NEW_ID_MAP);

/** The same for root, who needs no program for it: takes the texts of uid_map and gid_map in the place of arguments. */
export const ID_WRITING_SCRIPT = scriptWith(WRITE_ID_MAP);

/** Runs in the new namespace, before what is to run there: says which process it is, and waits for its ids. Ends with 125 if it gets none. */
export const ID_WAITING_SCRIPT = `read -r pid rest </proc/self/stat && echo "$pid" >&3 && read -r go <&6 || exit 125
exec 3>&- 6<&-
exec "$@"
`;
