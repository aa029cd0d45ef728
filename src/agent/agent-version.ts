import { UserError } from "../errors.ts";
import { compareVersions, parseVersion, type Version } from "../features/semantic-version.ts";
import type { Agent, AgentVariant } from "./agents.ts";

/** What a package's registry says of its versions. */
export interface PackageVersions {
  /** As published. */
  readonly versions: readonly string[];
  /** The version that its publisher calls the latest. */
  readonly latest: string | undefined;
}

/** `latest`, or a version without its leading v. Throws UserError for anything else. */
export function readAgentVersion(text: string, where: string): string {
  const version = text.trim().replace(/^v(?=\d)/, "");
  if (version === "latest" || parseVersion(version) !== undefined) return version;
  throw new UserError(`${where} is ${JSON.stringify(text)}; wanted latest or a version like 1.2.3 or 1.2.3-beta.1.`);
}

/**
 * The version of a variant to take: the newest release that it has, not beyond what its publisher calls the latest, or the wanted
 * one. Throws UserError that names the nearest for one that it lacks.
 */
export function chooseAgentVersion(
  wanted: string,
  { agent, variant, known }: { readonly agent: Agent; readonly variant: AgentVariant; readonly known: PackageVersions },
): string {
  const had = versionsOf(variant, known.versions);
  if (wanted !== "latest") {
    if (had.some(({ text }) => text === wanted)) return wanted;
    const near = nearest(wanted, had);
    throw new UserError(`${agent.title} ${wanted} is not there for ${variant.id}: ${variant.package} lacks it.`, {
      hint: near === undefined ? "Take latest." : `The nearest that it has is ${near}.`,
    });
  }
  const bound = known.latest === undefined ? undefined : parseVersion(known.latest);
  const releases = had.filter(({ version }) => version.prerelease.length === 0);
  const within = releases.filter(({ version }) => bound === undefined || compareVersions(version, bound) <= 0);
  const [newest] = (within.length > 0 ? within : releases).toSorted((a, b) => compareVersions(b.version, a.version));
  if (newest === undefined)
    throw new UserError(`${variant.package} has no release of ${agent.title} for ${variant.id}.`);
  return newest.text;
}

interface Had {
  readonly text: string;
  readonly version: Version;
}

function versionsOf({ versionSuffix }: AgentVariant, published: readonly string[]): readonly Had[] {
  return published.flatMap((full) => {
    if (!full.endsWith(versionSuffix)) return [];
    const text = full.slice(0, full.length - versionSuffix.length);
    const version = parseVersion(text);
    return version === undefined ? [] : [{ text, version }];
  });
}

function nearest(wanted: string, had: readonly Had[]): string | undefined {
  const version = parseVersion(wanted);
  if (version === undefined) return undefined;
  const releases = had.filter((other) => other.version.prerelease.length === 0);
  const alike = version.prerelease.length === 0 && releases.length > 0 ? releases : had;
  const sorted = alike.toSorted((a, b) => compareVersions(a.version, b.version));
  return (sorted.findLast((other) => compareVersions(other.version, version) <= 0) ?? sorted[0])?.text;
}
