import { selectPythonVersion } from "./profile-base.ts";
import type { RepoProfile } from "./repo-profile.ts";

/** One way of building a profile's image: with builder packages or not, and where apt gets its packages from. */
export interface BuildVariant {
  readonly name: VariantName;
  readonly builder: boolean;
  readonly apt: "standard" | "archive" | "archive_unauthenticated";
}

export type VariantName =
  | "standard"
  | "builder"
  | "archive"
  | "archive-unauth"
  | "builder-archive"
  | "builder-archive-unauth";

/** The variant that is tried first. */
export const STANDARD_VARIANT: BuildVariant = { name: "standard", builder: false, apt: "standard" };

/** Every variant; their Dockerfiles are always written. */
export const BUILD_VARIANTS: readonly BuildVariant[] = [
  STANDARD_VARIANT,
  { name: "builder", builder: true, apt: "standard" },
  { name: "archive", builder: false, apt: "archive" },
  { name: "archive-unauth", builder: false, apt: "archive_unauthenticated" },
  { name: "builder-archive", builder: true, apt: "archive" },
  { name: "builder-archive-unauth", builder: true, apt: "archive_unauthenticated" },
];

/** The name of a variant's file: `Dockerfile`, `Dockerfile.archive` … */
export function variantFile({ name }: BuildVariant): string {
  return name === "standard" ? "Dockerfile" : `Dockerfile.${name}`;
}

const RELEASE_GONE =
  /does not have a Release file|no longer has a Release file|Release file for .* is (?:expired|not valid)|^.*\bErr:\d+ .*\n?.*\b404\b|^.*\bE: Failed to fetch .*\b404\b|^.*\bErr:\d+ https?:/im;
const UNAUTHENTICATED =
  /cannot be authenticated|unauthenticated packages|NO_PUBKEY|EXPKEYSIG|(?:repository|Release) .* is not signed/i;
const HEADERS_MISSING =
  /Python\.h|longintrepr\.h|fatal error: [^\n]*\.h(?:pp)?: No such file|Failed building wheel|Could not build wheels|ffi\.h/;
/** Where Debian's releases are so old that their archive's signing keys have expired. */
const OLD_PYTHON = /^3\.[0-8](?:\.|$)/;

/** Whether a profile lets apt install what nobody signed. */
export function mayBeUnauthenticated(profile: RepoProfile): boolean {
  return profile.allow_unauthenticated_apt && profile.policy_profile !== "strict";
}

/** What to try after a variant that failed with this output; undefined when no other variant mends it. */
export function nextVariant(failed: BuildVariant, output: string, profile: RepoProfile): BuildVariant | undefined {
  const mayTrust = mayBeUnauthenticated(profile);
  if (failed.apt !== "archive_unauthenticated" && UNAUTHENTICATED.test(output) && mayTrust) {
    return find({ builder: failed.builder, apt: "archive_unauthenticated" });
  }
  if (failed.apt === "standard" && (RELEASE_GONE.test(output) || UNAUTHENTICATED.test(output))) {
    const isOld = profile.language === "python" && OLD_PYTHON.test(selectPythonVersion(profile.python_version_target));
    return find({ builder: failed.builder, apt: isOld && mayTrust ? "archive_unauthenticated" : "archive" });
  }
  if (!failed.builder && HEADERS_MISSING.test(output)) return find({ builder: true, apt: failed.apt });
  return undefined;
}

function find(wanted: Pick<BuildVariant, "builder" | "apt">): BuildVariant | undefined {
  return BUILD_VARIANTS.find(({ builder, apt }) => builder === wanted.builder && apt === wanted.apt);
}
