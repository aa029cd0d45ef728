import { join } from "node:path";
import { messageOf } from "../errors.ts";
import { type FailureClass, registerFailure } from "../profile/unsupported-registry.ts";
import type { ReadProfile } from "./prepare-profile.ts";
import { ARTIFACTS_FOLDER, makeOwnFolder, readText, writeArtifact } from "./profile-artifacts.ts";
import type { Tools } from "./tools.ts";

/** Counts a failure in the repository's registry of what cannot be built; it must not hide the failure itself. */
export function registerUnsupported(
  { repository, profile }: Pick<ReadProfile, "repository" | "profile">,
  failure: FailureClass,
  tools: Tools,
): void {
  try {
    const path = join(makeOwnFolder(repository, [".pf_manifest"]), "unsupported_registry.json");
    const reportPath = join(repository, ...ARTIFACTS_FOLDER, "build.log");
    writeArtifact(path, registerFailure(readText(path), { repository, profile, failure, reportPath, at: new Date() }));
  } catch (error) {
    tools.log.warning(
      `The failure could not be added to the registry of unsupported repositories: ${messageOf(error)}`,
    );
  }
}
