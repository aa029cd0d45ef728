/**
 * How a variable reaches a process in a container. `environment`: by its name alone, the value in the client's own environment.
 * `argument`: as `NAME=value`, for paths and settings that the client itself goes by and that are no secrets. `shell`: under a name
 * that means nothing to the client, renamed by a shell in the container. `none`: it means nothing outside the process that had it.
 */
export type VariableChannel = "environment" | "argument" | "shell" | "none";

/** Settings of a user's session; whoever sets them sets no secret. */
const SETTINGS =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|TERM|COLORTERM|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+|XDG_(?:RUNTIME_DIR|(?:CONFIG|DATA|CACHE|STATE)_HOME|(?:CONFIG|DATA)_DIRS))$/;

/**
 * What engines' clients, the libraries and tools below them, and the shells and interpreters that wrap them go by: values that a
 * repository can choose must not reach them on the host, and may be secrets (a proxy's password).
 */
const OF_THE_CLIENT = new RegExp(
  `^(?:${[
    "_?(?:DOCKER|BUILDKIT|BUILDX|MOBY|COMPOSE|CONTAINERS?|PODMAN|STORAGE|REGISTRY|CNI|NETAVARK|AARDVARK|OTEL|KUBE)(?:_.*|CONFIG)",
    "(?:LD|DYLD|GLIBC|MALLOC|GCONV|NSS|RES|SSL|SSH|GPG|DBUS|LISTEN|TERMINFO|NIX|PYTHON|PERL5?|RUBY|BASH)(?:_.*)?",
    "(?:PYTHON|PERL5?|RUBY)[A-Z]+",
    "GO(?:DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK|COVERDIR|RACE|FIPS140)",
    "(?:HTTPS?|ALL|NO|FTP)_PROXY",
    "ENV|IFS|PS4|CDPATH|GLOBIGNORE|NODE_OPTIONS|LOCPATH|NLSPATH|HOSTALIASES|LOCALDOMAIN|NOTIFY_SOCKET|TZDIR",
  ].join("|")})$`,
  "i",
);

/** Which way a variable of this name has to go. */
export function channelOf(name: string): VariableChannel {
  // `NAME*` is a pattern over the host's variables to podman; exported functions of bash would be code on the host.
  if (/^$|[\s=*\0]/.test(name) || /^BASH_FUNC_|^(?:BASHOPTS|SHELLOPTS)$/.test(name)) return "none";
  if (SETTINGS.test(name)) return "argument";
  return OF_THE_CLIENT.test(name) ? "shell" : "environment";
}
