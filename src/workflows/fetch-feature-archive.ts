import * as v from "valibot";
import { UserError } from "../errors.ts";
import type { LockedFeature } from "../features/lockfile.ts";
import { type GithubFeatureReference, notProcessable, type TarballFeatureReference } from "../features/reference.ts";
import { sha256Of } from "../oci/digest.ts";
import { type FeatureContent, type UnpackPorts, unpackFeature } from "./fetch-feature-content.ts";
import type { Download } from "./fetch-feature-download.ts";

/** How Features outside registries are fetched. */
export type ArchiveFeaturePorts = UnpackPorts & {
  readonly download: Download;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

const tokenHosts = new Set(["github.com", "api.github.com"]);
const releaseSchema = v.object({ assets: v.array(v.object({ name: v.string(), url: v.string() })) });

/**
 * Fetches the archive at an https address. A locked one is checked, and fetched only when it is not unpacked yet; a
 * mismatch is a UserError that names both digests.
 */
export async function fetchTarballFeature(
  wanted: { userId: string; reference: TarballFeatureReference; locked: LockedFeature | undefined },
  ports: ArchiveFeaturePorts,
): Promise<FeatureContent> {
  const { userId, reference, locked } = wanted;
  const bytes = async () => {
    const answer = await get(reference.url, ports);
    if (answer.status === 200) return answer.bytes;
    throw notProcessable(userId, { reason: `Its address answered with status ${answer.status}; wanted 200.` });
  };
  if (locked === undefined) return unpackBytes(userId, await bytes(), ports);
  const digest = locked.integrity;
  return { ...(await unpackFeature({ userId, digest, bytes }, ports)), digest };
}

/** Fetches the archive of a GitHub release (§4.4): with a token by its API, else by the addresses it has by custom. */
export async function fetchGithubFeature(
  wanted: { userId: string; reference: GithubFeatureReference },
  ports: ArchiveFeaturePorts,
): Promise<FeatureContent> {
  const { userId, reference } = wanted;
  const asset = await releaseAsset(reference, ports);
  const addresses = [...(asset === undefined ? [] : [asset]), ...customaryAddresses(reference)];
  for (const address of addresses) {
    const answer = await get(address, ports, { accept: "application/octet-stream" });
    if (answer.status === 200) return unpackBytes(userId, answer.bytes, ports);
  }
  throw new UserError(
    `ERR: Feature '${userId}' could not be processed. (!) Failed to fetch tarball for ${reference.id} after attempting ${addresses.length} possibilities: ${addresses.join(", ")}.`,
    { hint: "A Feature in a registry is written with the registry's name: ghcr.io/owner/features/id." },
  );
}

async function unpackBytes(userId: string, bytes: Uint8Array, ports: UnpackPorts): Promise<FeatureContent> {
  const digest = sha256Of(bytes);
  return { ...(await unpackFeature({ userId, digest, bytes: async () => bytes }, ports)), digest };
}

/** The API address of the release's archive; undefined without a token, a release or an asset of a known name. */
async function releaseAsset(
  reference: GithubFeatureReference,
  ports: ArchiveFeaturePorts,
): Promise<string | undefined> {
  if (!ports.environment["GITHUB_TOKEN"]) return undefined;
  const { owner, repository, tag } = reference;
  const release = tag === undefined ? "latest" : `tags/${encodeURIComponent(tag)}`;
  const address = `https://api.github.com/repos/${owner}/${repository}/releases/${release}`;
  const answer = await get(address, ports, { accept: "application/vnd.github+json" });
  const parsed = v.safeParse(releaseSchema, answer.status === 200 ? jsonOf(answer.bytes) : undefined);
  if (!parsed.success) return undefined;
  for (const name of assetNames(reference)) {
    const asset = parsed.output.assets.find((candidate) => candidate.name === name);
    if (asset !== undefined) return asset.url;
  }
  return undefined;
}

function customaryAddresses(reference: GithubFeatureReference): string[] {
  const { owner, repository, tag } = reference;
  const release = tag === undefined ? "latest/download" : `download/${encodeURIComponent(tag)}`;
  return assetNames(reference).map((name) => `https://github.com/${owner}/${repository}/releases/${release}/${name}`);
}

function assetNames({ id }: GithubFeatureReference): string[] {
  return [`${id}.tgz`, "devcontainer-features.tgz"];
}

async function get(url: string, ports: ArchiveFeaturePorts, headers: Readonly<Record<string, string>> = {}) {
  const token = ports.environment["GITHUB_TOKEN"];
  const authorization = token && tokenHosts.has(new URL(url).host) ? { authorization: `Bearer ${token}` } : {};
  return ports.download(url, { headers: { "user-agent": "devcontainer", ...headers, ...authorization } });
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
