import { posix, win32 } from "node:path";
import { UserError } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import { hexOf, sha256Of } from "../oci/digest.ts";

/** Labels that tell a workspace's container from all others. */
export type IdLabels = { readonly [name: string]: string };

/** The label with the workspace folder on the host. */
export const localFolderLabel = "devcontainer.local_folder";
/** The label with the path of the devcontainer.json on the host. */
export const configFileLabel = "devcontainer.config_file";

/** The labels of a workspace's container: those set today, and those of containers from before config files were told apart. */
export function workspaceIdLabels(place: { workspaceFolder: string; configFile: string; platform?: string }): {
  current: IdLabels;
  legacy: IdLabels;
} {
  const onWindows = place.platform === "win32";
  const folder = onWindows ? windowsPath(place.workspaceFolder) : place.workspaceFolder;
  const file = onWindows ? windowsPath(place.configFile) : place.configFile;
  return {
    current: { [localFolderLabel]: folder, [configFileLabel]: file },
    legacy: { [localFolderLabel]: folder },
  };
}

/** The labels given as `name=value`, split at the first `=`; throws a UserError for one without a name or a value. */
export function parseIdLabels(texts: readonly string[]): IdLabels {
  return Object.fromEntries(
    texts.map((text) => {
      const sign = text.indexOf("=");
      if (sign < 1 || sign === text.length - 1) {
        throw new UserError(`id-label must match <name>=<value>; found ${JSON.stringify(text)}.`);
      }
      return [text.slice(0, sign), text.slice(sign + 1)];
    }),
  );
}

/** The `${devcontainerId}`: 52 digits 0-9a-v, the sha256 of the id labels as canonical JSON in base 32. */
export function devcontainerId(labels: IdLabels): string {
  const hash = BigInt(`0x${hexOf(sha256Of(canonicalJson({ ...labels })))}`);
  return hash.toString(32).padStart(52, "0");
}

/** The name of a workspace's images where none is asked for: `vsc-<folder name>-<hash of the whole path>`. */
export function folderImageName(workspaceFolder: string, platform?: string): string {
  const name = platform === "win32" ? win32.basename(workspaceFolder) : posix.basename(workspaceFolder);
  return imageNameOf(`vsc-${name}-${hexOf(sha256Of(workspaceFolder))}`);
}

/** The name of the image that a workspace's base image becomes by a build: its own `-features` name, not doubled. */
export function featuresImageName(folderName: string, baseName: string): string {
  return `${baseName.startsWith(folderName) ? baseName : folderName}-features`;
}

/** The name of the image with the remote user's id changed to the caller's. */
export function uidImageName(folderName: string, imageName: string): string {
  return `${imageName.startsWith(folderName) ? imageName : folderName}-uid`;
}

/** The text as a component of an image name: lower case, other characters dropped, runs of separators cut to a valid one. */
function imageNameOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "")
    .replace(/[._-]+/g, (run) => /^(?:-+|\.|__?)/.exec(run)?.[0] ?? "");
}

function windowsPath(path: string): string {
  const normal = win32.normalize(path);
  return normal.charAt(1) === ":" ? normal.charAt(0).toLowerCase() + normal.slice(1) : normal;
}
