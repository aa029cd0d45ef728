import { resolve } from "node:path/posix";
import type { HookMarker } from "../devcontainer/lifecycle.ts";
import { UserError } from "../errors.ts";
import { failedExec } from "../runtime/exec-failure.ts";
import { type ContainerSession, sessionCommand } from "./container-session.ts";
import type { Tools } from "./tools.ts";

/**
 * Of the files and contents given in pairs, those that did not say so yet are made to: `run`; the others are `done`. Of several that
 * try at a time one succeeds: a file is made only where there is none, and only one can move the old one away.
 */
const claimScript = `
folder=$1
shift
mkdir -p "$folder"
claim() {
  file=$folder/$1
  if [ -e "$file" ]; then
    if [ "$(cat "$file")" = "$2" ]; then echo "done $1"; return; fi
    if ! mv "$file" "$file.$$"; then
      if [ -e "$file" ]; then echo "failed $1"; else echo "done $1"; fi
      return
    fi
    if [ "$(cat "$file.$$")" = "$2" ]; then mv "$file.$$" "$file"; echo "done $1"; return; fi
    rm -f "$file.$$"
  fi
  if (set -C; printf '%s\\n' "$2" >"$file"); then echo "run $1"
  elif [ -e "$file" ]; then echo "done $1"
  else echo "failed $1"
  fi
}
while [ $# -gt 1 ]; do claim "$1" "$2" 2>/dev/null; shift 2; done
`;

/** Where the markers of a user's hooks are, in the container: below the home folder unless absolute. */
export function markerFolder(session: ContainerSession, containerDataFolder: string | undefined): string {
  return resolve(session.account.home, (containerDataFolder ?? ".devcontainer").replace(/^~(?:\/|$)/, ""));
}

/** Writes the markers that are not written yet; resolves to those. What cannot be written counts as written, with a warning. */
export async function claimMarkers(
  markers: readonly HookMarker[],
  place: { readonly session: ContainerSession; readonly folder: string },
  tools: Tools,
): Promise<readonly HookMarker[]> {
  const { session, folder } = place;
  const { known } = session;
  const content = (marker: HookMarker) => known.container[marker.content];
  const path = (marker: HookMarker) => `${folder}/${marker.file}`;
  const unknown = markers.filter((marker) => known.remembered().markers[path(marker)] !== content(marker));
  if (unknown.length === 0) return [];
  const pairs = unknown.flatMap((marker) => [marker.file, content(marker)]);
  const answers = await askForClaims([folder, ...pairs], session, tools);
  const answered = (word: string) => unknown.filter(({ file }) => answers.includes(`${word} ${file}`));
  const failed = answered("failed");
  if (failed.length > 0) {
    const files = failed.map(({ file }) => file).join(", ");
    tools.log.warning(
      `Could not write ${files} in ${folder} as ${session.user.name}: the hooks they stand for do not run.`,
    );
  }
  const written = [...answered("run"), ...answered("done")].map((marker) => [path(marker), content(marker)] as const);
  known.update({ markers: { ...known.remembered().markers, ...Object.fromEntries(written) } });
  return answered("run");
}

async function askForClaims(
  words: readonly string[],
  session: ContainerSession,
  tools: Tools,
): Promise<readonly string[]> {
  const command = sessionCommand(session, {
    command: ["/bin/sh", "-c", claimScript, "claim", ...words],
    workingDirectory: "/",
  });
  const { exitCode, stdout, stderr } = await tools.runProcess(command);
  if (exitCode === 0) return stdout.split("\n");
  const { container } = session.known;
  const failure = failedExec(command, container.id, { exitCode, output: stderr });
  throw new UserError(failure.message, failure.hint === undefined ? {} : { hint: failure.hint });
}
