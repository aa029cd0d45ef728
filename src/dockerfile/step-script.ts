import { UserError } from "../errors.ts";
import type { ExecutingStep, FeatureStep } from "../plan/build-plan.ts";
import type { Command } from "../plan/command.ts";
import { INSTALL_SCRIPT } from "./install-script.ts";
import { packagesScript } from "./packages-script.ts";
import { userIdsScript } from "./user-ids.ts";

/** Where an image has the content of its Features while they install. */
export const FEATURES_FOLDER = "/tmp/dev-container-features";

/** What a step runs where no Dockerfile says it: as root, in the image. */
export function stepCommand(step: ExecutingStep): Command {
  return { file: "/bin/sh", args: ["-c", stepScript(step)], env: {} };
}

/** What a step runs, as text for `/bin/sh -c` as root; a Feature's content lies in its folder of FEATURES_FOLDER. */
export function stepScript(step: ExecutingStep): string {
  switch (step.kind) {
    case "feature":
      return featureCommands(`${FEATURES_FOLDER}/${folderName(step)}`).join(" && ");
    case "user-ids":
      return ["set -e", ...userIdsScript(step)].join("\n");
    case "packages":
      return packagesScript(step);
    case "run":
      if (step.command.includes("\0")) {
        throw new UserError(`${step.title} contains a NUL character, which no command can hold.`);
      }
      return step.command;
  }
}

/** Installs a Feature whose content, wrapper included, is in a folder. */
export function featureCommands(folder: string): readonly string[] {
  // Scripts may call each other, also as another user, whatever the modes that they were stored with.
  return [`cd ${folder}`, "chmod -R 0755 .", `./${INSTALL_SCRIPT}`];
}

/** A Feature's folder as a word of a script. */
export function folderName({ folder }: FeatureStep): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(folder)) return folder;
  throw new TypeError(`A Feature's folder must be a plain name, found ${JSON.stringify(folder)}.`);
}
