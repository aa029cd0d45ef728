import { UserError } from "../errors.ts";

/**
 * What an image runs on, in normalised form: `amd64` and `arm64` without their default variants, `arm` always with one.
 */
export type Platform = {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
};

const component = /^[A-Za-z0-9_.-]+$/;

const aliases: ReadonlyMap<string, readonly [architecture: string, variant?: string]> = new Map([
  ["x86_64", ["amd64"]],
  ["x86-64", ["amd64"]],
  ["x64", ["amd64"]],
  ["aarch64", ["arm64"]],
  ["i386", ["386"]],
  ["i686", ["386"]],
  ["ia32", ["386"]],
  ["armhf", ["arm", "v7"]],
  ["armv7l", ["arm", "v7"]],
  ["armel", ["arm", "v6"]],
  ["armv6l", ["arm", "v6"]],
  ["ppc64el", ["ppc64le"]],
]);

/**
 * Variants of one architecture from newest to oldest: an image for a later entry runs where an earlier one is wanted.
 */
const generations: ReadonlyMap<string, readonly (string | undefined)[]> = new Map([
  ["arm", ["v8", "v7", "v6", "v5"]],
  ["amd64", ["v4", "v3", "v2", undefined]],
]);

/**
 * The platform of loose parts as registries, engines and `uname` write them: aliases resolved, default variants
 * dropped.
 */
export function normalizePlatform(parts: { os: string; architecture: string; variant?: string | undefined }): Platform {
  const written = parts.architecture.toLowerCase();
  const [architecture, impliedVariant] = aliases.get(written) ?? [written];
  const os = parts.os.toLowerCase() === "macos" ? "darwin" : parts.os.toLowerCase();
  const variant = normalizeVariant(architecture, parts.variant || impliedVariant);
  return { os, architecture, variant };
}

function normalizeVariant(architecture: string, written: string | undefined): string | undefined {
  const variant = written === undefined ? undefined : written.toLowerCase().replace(/^(?=\d)/, "v");
  if (architecture === "arm") return variant ?? "v7";
  if (architecture === "arm64" && (variant === "v8" || variant === "v8.0")) return undefined;
  if (architecture === "amd64" && variant === "v1") return undefined;
  return variant;
}

/** The platform written as `os/architecture[/variant]`; throws a UserError for anything else. */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.trim().split("/");
  const parts = [os, architecture, variant ?? "-"];
  if (
    os === undefined ||
    architecture === undefined ||
    rest.length > 0 ||
    !parts.every((part) => component.test(part ?? ""))
  ) {
    throw new UserError(`Invalid platform ${JSON.stringify(text)}: expected os/architecture[/variant].`, {
      hint: 'Write it like "linux/amd64" or "linux/arm/v7".',
    });
  }
  return normalizePlatform({ os, architecture, variant });
}

/** The text of a platform: `linux/amd64`, `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** True when both name the same normalised platform. */
export function samePlatform(left: Platform, right: Platform): boolean {
  return left.os === right.os && left.architecture === right.architecture && left.variant === right.variant;
}

/** The platforms whose images run on `wanted`, best first: itself, then older generations of the same architecture. */
export function platformsRunningOn(wanted: Platform): Platform[] {
  const known = generations.get(wanted.architecture);
  if (known === undefined) {
    return wanted.variant === undefined ? [wanted] : [wanted, { ...wanted, variant: undefined }];
  }
  const start = known.indexOf(wanted.variant);
  if (start === -1) return [wanted, ...known.slice(-1).map((variant) => ({ ...wanted, variant }))];
  return known.slice(start).map((variant) => ({ ...wanted, variant }));
}
