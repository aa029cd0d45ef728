import { mkdir, mkdtemp, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { type ControlManifest, findDisallowedFeature, parseControlManifest } from "../features/advisories.ts";
import type { Download } from "./fetch-feature-download.ts";

const address = "https://containers.dev/static/devcontainer-control-manifest.json";
const freshMilliseconds = 5 * 60 * 1000;
const nothing = '{"disallowedFeatures":[],"featureAdvisories":[]}';

/** What loading the control manifest needs of the world. */
export type ControlManifestPorts = {
  readonly cacheFolder: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly download: Download;
  /** How long a build may wait for the answer; two seconds. */
  readonly patienceMilliseconds?: number;
};

/** The error of a Feature that its publishers have withdrawn; `data` goes into the command's JSON result. */
export class DisallowedFeatureError extends UserError {
  constructor(disallowedFeatureId: string, learnMoreUrl: string | undefined) {
    const more = learnMoreUrl === undefined ? "" : ` See ${learnMoreUrl} to learn more.`;
    const message = `Feature '${disallowedFeatureId}' is not allowed: it was reported to be problematic.${more}`;
    super(message, {
      description: message,
      hint: "Remove it from devcontainer.json and rebuild the dev containers that use it.",
      data: { disallowedFeatureId, ...(learnMoreUrl === undefined ? {} : { learnMoreUrl }) },
    });
    this.name = "DisallowedFeatureError";
  }
}

/**
 * The control manifest of containers.dev: from the cache while that is fresh (5 minutes), else fetched within two
 * seconds, else the old one or an empty one. Never an error: what cannot be known stops no build.
 */
export async function loadControlManifest(ports: ControlManifestPorts): Promise<ControlManifest> {
  const file = join(ports.cacheFolder, "control-manifest.json");
  const cached = await readCached(file, ports.now());
  if (cached?.fresh) return parseControlManifest(JSON.parse(cached.text));
  const fetched = await fetchText(ports);
  if (fetched !== undefined) {
    await store(file, fetched, ports);
    return parseControlManifest(JSON.parse(fetched));
  }
  // The next builds within the time of freshness do not wait for the network again.
  await store(file, cached?.text ?? nothing, ports);
  return parseControlManifest(JSON.parse(cached?.text ?? nothing));
}

/** Throws a DisallowedFeatureError when one of the ids, as written, is forbidden. */
export function refuseDisallowedFeatures(manifest: ControlManifest, userIds: readonly string[]): void {
  const found = findDisallowedFeature(manifest, userIds);
  if (found !== undefined) throw new DisallowedFeatureError(found.userId, found.rule.documentationURL);
}

async function readCached(file: string, now: number): Promise<{ text: string; fresh: boolean } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(file, "utf8"), stat(file)]);
    JSON.parse(text);
    return { text, fresh: now - mtimeMs < freshMilliseconds && mtimeMs <= now };
  } catch {
    return undefined;
  }
}

async function fetchText(ports: ControlManifestPorts): Promise<string | undefined> {
  try {
    const headers = { "user-agent": "devcontainers-vscode", accept: "application/json" };
    const { status, bytes } = await within(ports.patienceMilliseconds ?? 2000, ports.download(address, { headers }));
    const text = new TextDecoder().decode(bytes);
    JSON.parse(text);
    return status === 200 ? text : undefined;
  } catch {
    return undefined;
  }
}

async function within<Answer>(milliseconds: number, answer: Promise<Answer>): Promise<Answer> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(() => expired.reject(new Error("No answer in time.")), milliseconds);
  try {
    return await Promise.race([answer, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Replaces the cached text in one step; a cache that cannot be written only costs the next build a fetch. */
async function store(file: string, text: string, ports: ControlManifestPorts): Promise<void> {
  try {
    await mkdir(ports.cacheFolder, { recursive: true });
    const staging = await mkdtemp(join(ports.cacheFolder, "control-manifest-"));
    try {
      const written = join(staging, "new.json");
      await writeFile(written, text);
      const seconds = ports.now() / 1000;
      await utimes(written, seconds, seconds);
      await rename(written, file);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  } catch {
    return;
  }
}
