import { detectGo, detectRust } from "./detect-compiled.ts";
import { detectNode } from "./detect-node.ts";
import { detectPython } from "./detect-python.ts";
import { profileOfDetection, type RepositoryFacts } from "./detection.ts";
import { overriddenMembers, overrideDetection, type ProfileOverrides } from "./detection-request.ts";
import type { WrittenProfile } from "./repo-profile.ts";

/** The profile of a repository, from the files at its top; Python counts first, as many repositories have a package.json beside it. */
export function detectProfile(facts: RepositoryFacts, overrides?: ProfileOverrides): WrittenProfile {
  const detection = detectPython(facts) ?? detectNode(facts) ?? detectGo(facts) ?? detectRust(facts);
  if (overrides === undefined) return profileOfDetection(detection, facts);
  return { ...profileOfDetection(overrideDetection(detection, overrides), facts), ...overriddenMembers(overrides) };
}
