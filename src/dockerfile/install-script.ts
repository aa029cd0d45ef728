import type { FeatureStep, ImageUsers } from "../plan/build-plan.ts";
import { quoteShell, shellAssignment } from "./quote.ts";

/** Beside a Feature's `install.sh`: what runs it and says which Feature failed. */
export const INSTALL_SCRIPT = "devcontainer-features-install.sh";

/** Beside a Feature's `install.sh`: its options as shell assignments. */
export const OPTIONS_FILE = "devcontainer-features.env";

const RULE = "=".repeat(75);

/** The options of a Feature as lines `NAME="value"` that a shell sources, without a final newline; values are inert. */
export function renderOptionsFile(step: FeatureStep): string {
  return step.options.map(([name, value]) => shellAssignment(name, value)).join("\n");
}

/** The script that installs one Feature from its own folder, as root: names it, tells it users and options, explains a failure. */
export function renderInstallScript(step: FeatureStep, users: ImageUsers): string {
  return `#!/bin/sh
set -e

on_exit () {
	status=$?
	[ "$status" -eq 0 ] && exit
	say ${quoteShell(failureText(step))}
	exit "$status"
}
say () { printf '%s\\n' "$1"; }
home_of () {
	while IFS=: read -r name _ uid _ _ home _; do
		if [ "$name" = "$1" ] || [ "$uid" = "$1" ]; then printf '%s' "$home"; return; fi
	done </etc/passwd
}
trap on_exit EXIT

${bannerLines(step)
  .map((line) => `say ${quoteShell(line)}`)
  .join("\n")}

set -a
_CONTAINER_USER=${quoteShell(userName(users.container))}
_REMOTE_USER=${quoteShell(userName(users.remote))}
_CONTAINER_USER_HOME=$(home_of "$_CONTAINER_USER")
_REMOTE_USER_HOME=$(home_of "$_REMOTE_USER")
. ./${OPTIONS_FILE}
set +a

chmod +x ./install.sh
./install.sh
`;
}

function userName(user: string): string {
  const name = user.split(":")[0] ?? "";
  return name === "" || name === "0" ? "root" : name;
}

function failureText(step: FeatureStep): string {
  const advice =
    step.documentationUrl === null
      ? ""
      : ` Look at the documentation at ${step.documentationUrl} for help troubleshooting this error.`;
  return `ERROR: Feature "${step.name ?? "Unknown"}" (${step.reference}) failed to install!${advice}`;
}

function bannerLines(step: FeatureStep): string[] {
  const facts = [
    ["Feature       : ", step.name ?? "Unknown"],
    ["Description   : ", step.description ?? ""],
    ["Id            : ", step.reference],
    ["Version       : ", step.version ?? ""],
    ["Documentation : ", step.documentationUrl ?? ""],
    ["Options       :", ""],
  ].map(([label, value]) => `${label}${value}`);
  const options = step.options.flatMap(([name, value]) => shellAssignment(name, value).split("\n"));
  const warnings = step.warnings.map((warning) => `(!) WARNING: ${warning}`);
  return [RULE, ...warnings, ...facts, ...options.map((line) => `    ${line}`), RULE];
}
