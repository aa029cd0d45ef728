import * as v from "valibot";
import type { RepoProfile } from "./repo-profile.ts";

/** Why a profile has no image, in the words of those who sort failures. */
export interface FailureClass {
  readonly failure_reason: string;
  /** Whether the repository's own description is wrong, or what is around it. */
  readonly registry_bucket: "dataset_metadata_issue" | "infra_issue";
  readonly suggested_remediation: string;
  readonly retry_on_policy_change: boolean;
}

/** One failure of a profile's build. */
export interface ProfileFailure {
  /** Absolute path of the repository. */
  readonly repository: string;
  readonly profile: Pick<RepoProfile, "python_version_target" | "policy_profile">;
  readonly failure: FailureClass;
  /** Where the log is. */
  readonly reportPath: string;
  readonly at: Date;
}

/** What is said of a profile that names no way of installing its repository. */
export const MISSING_INSTALL: FailureClass = infrastructure("missing_install_mechanism");

/** What a failed build's output says about why it failed. */
export function classifyBuildFailure(output: string): FailureClass {
  const nothingFound = /no matching distribution found|could not find a version that satisfies the requirement/i;
  if (/pkg-resources==0\.0\.0/i.test(output)) return metadata("invalid_requirement", "drop_invalid_requirement");
  if (nothingFound.test(output)) {
    const reason = /pywin32/i.test(output) ? "platform_incompatible_dependency" : "invalid_requirement";
    return metadata(reason, reason);
  }
  // apt's own errors: its name alone is in the output of every build.
  return infrastructure(/^(?:#\d+ [\d.]+ )?E: /m.test(output) ? "apt_failure" : "build_failure");
}

function infrastructure(reason: string): FailureClass {
  return {
    failure_reason: reason,
    registry_bucket: "infra_issue",
    suggested_remediation: reason,
    retry_on_policy_change: true,
  };
}

function metadata(reason: string, remediation: string): FailureClass {
  return {
    failure_reason: reason,
    registry_bucket: "dataset_metadata_issue",
    suggested_remediation: remediation,
    retry_on_policy_change: false,
  };
}

const registrySchema = v.looseObject({ entries: v.array(v.looseObject({ count: v.optional(v.number(), 1) })) });
type Registry = v.InferOutput<typeof registrySchema>;

/**
 * The registry's text with a failure counted: of one that is in it already the count and the last time change. Of a registry that cannot
 * be read nothing is kept.
 */
export function registerFailure(text: string | undefined, failed: ProfileFailure): string {
  const registry = readRegistry(text);
  const { reportPath, at, failure } = failed;
  const now = at.toISOString().replace(/\.\d+Z$/, "Z");
  const key = keyOf(failed);
  const latest = {
    last_seen_at: now,
    report_path: reportPath,
    suggested_remediation: failure.suggested_remediation,
    retry_on_policy_change: failure.retry_on_policy_change,
  };
  const known = registry.entries.findIndex((entry) =>
    Object.entries(key).every(([name, value]) => (entry[name] ?? null) === value),
  );
  const entries = registry.entries.map((entry, index) =>
    index === known ? { ...entry, ...latest, count: entry.count + 1 } : entry,
  );
  if (known === -1) entries.push({ ...key, first_seen_at: now, count: 1, ...latest });
  return `${JSON.stringify({ ...registry, entries }, null, 2)}\n`;
}

function readRegistry(text: string | undefined): Registry {
  try {
    return v.parse(registrySchema, JSON.parse(text ?? ""));
  } catch {
    return { entries: [] };
  }
}

/** What makes two failures the same. */
function keyOf({ repository, profile, failure }: ProfileFailure): Readonly<Record<string, string | null>> {
  const names = repository.split("/");
  // The data set whose checkouts lie in folders that tell what they are.
  const at = names.indexOf("bugsinpy");
  const [dataset, project, bug, variant] =
    at !== -1 && names.length > at + 3 ? names.slice(at, at + 4) : ["unknown", names.at(-1)];
  return {
    dataset: dataset ?? null,
    project: project ?? null,
    bug_id: bug ?? null,
    variant: variant ?? null,
    failure_class: "build_failure",
    failure_reason: failure.failure_reason,
    python_version: profile.python_version_target,
    registry_bucket: failure.registry_bucket,
    stage: "image_build",
    policy_profile: profile.policy_profile,
  };
}
