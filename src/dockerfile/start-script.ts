/**
 * The script that a container starts with, for `/bin/sh -c`: runs the entrypoints, each a line of its own as its Feature or image
 * wrote it, then the arguments behind `-` if there are any, else nothing until it is told to stop.
 */
export function startScript(entrypoints: readonly string[]): string {
  return ['trap "exit 0" 15', "echo Container started", ...entrypoints, 'exec "$@"', WAIT].join("\n");
}

// A shell takes a signal's trap only between commands or in `wait`.
const WAIT = "while sleep 1 & wait $!; do :; done";
