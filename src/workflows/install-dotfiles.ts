import { randomUUID } from "node:crypto";
import { Interrupted, messageOf } from "../errors.ts";
import { type ContainerSession, sessionCommand } from "./container-session.ts";
import { endRemoteProcesses, PROCESS_MARK } from "./end-remote-processes.ts";
import type { Secrets } from "./read-secrets.ts";
import { runAnnounced } from "./run-announced.ts";
import type { Tools } from "./tools.ts";
import type { DotfilesWishes } from "./up-request.ts";

/** For whom, and where in the container it is remembered that it was done. */
export interface DotfilesPlace {
  readonly session: ContainerSession;
  readonly secrets: Secrets;
  readonly folder: string;
}

/**
 * With the repository in COOPER_DOTFILES, which may hold a password, and the folder of the marker, the target and the install command
 * as arguments. Once per home; without git nothing, and not for good.
 */
const installScript = `
folder=$1 target=$2 command=$3 repository=$COOPER_DOTFILES
unset COOPER_DOTFILES
cd "$HOME" 2>/dev/null
case $target in '~') target=$HOME ;; '~/'*) target=$HOME/\${target#??} ;; esac
command -v git >/dev/null 2>&1 || { echo "No git in the container: no dotfiles."; exit 0; }
mkdir -p "$folder" 2>/dev/null && (set -C; : >"$folder/.dotfilesMarker") 2>/dev/null || exit 0
[ -e "$target" ] || git clone --depth 1 -- "$repository" "$target" || exit
cd "$target" || exit
run() { [ -x "$1" ] || chmod +x "$1"; exec "$1"; }
if [ -n "$command" ]; then
  if [ -f "./$command" ]; then run "./$command"; fi
  if [ -f "$command" ]; then run "$command"; fi
  echo "The install command $command is not in the dotfiles."
  exit 126
fi
for file in install.sh install bootstrap.sh bootstrap script/bootstrap setup.sh setup script/setup; do
  if [ -f "./$file" ]; then run "./$file"; fi
done
for file in .[!.]* ..?*; do
  [ "$file" = .git ] || { [ ! -e "$file" ] && [ ! -h "$file" ]; } && continue
  if [ -d "$HOME/$file" ] && [ ! -h "$HOME/$file" ]; then echo "$HOME/$file is a directory: it stays."; continue; fi
  ln -sfn "$PWD/$file" "$HOME/$file"
done
`;

/** Clones and installs the user's dotfiles in the container, once; what goes wrong is said and fails nothing. */
export async function installDotfiles(wishes: DotfilesWishes, place: DotfilesPlace, tools: Tools): Promise<void> {
  if (wishes.repository === undefined) return;
  const { session, secrets } = place;
  const mark = randomUUID();
  const command = sessionCommand(session, {
    command: ["/bin/sh", "-c", installScript, "dotfiles", place.folder, wishes.targetPath, wishes.installCommand ?? ""],
    env: { HOME: session.account.home, [PROCESS_MARK]: mark },
    secretEnv: { ...secrets.env, COOPER_DOTFILES: repositoryUrl(wishes.repository) },
    workingDirectory: "/",
  });
  const progress = "Installing Dotfiles";
  try {
    const { exitCode } = await runAnnounced(command, { title: `${progress}...`, progress, detail: "" }, tools);
    if (exitCode !== 0) tools.log.warning(`The dotfiles were not installed: exit code ${exitCode}.`);
  } catch (error) {
    if (error instanceof Interrupted) {
      const { enginePath, container } = session.known;
      await endRemoteProcesses({ enginePath, container: container.id, user: session.user.spec, mark }, tools);
      throw error;
    }
    tools.log.warning(`The dotfiles were not installed: ${messageOf(error)}`);
  }
}

/** A short `owner/name` is GitHub's. */
function repositoryUrl(repository: string): string {
  return repository.includes(":") || /^(?:\/|\.{1,2}\/)/.test(repository)
    ? repository
    : `https://github.com/${repository}.git`;
}
