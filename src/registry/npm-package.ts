import * as v from "valibot";
import { messageOf, UserError } from "../errors.ts";
import type { Fetch } from "../host/fetch.ts";
import { downloadBlob } from "./download-blob.ts";
import type { NpmRegistry } from "./npm-settings.ts";
import { readBody } from "./read-body.ts";
import { followRedirects } from "./redirects.ts";
import { type RetryPolicy, withRetry } from "./retry.ts";

/** A package's published versions with where each lies and what its bytes must be. */
export interface NpmPackage {
  readonly latest: string | undefined;
  readonly versions: Readonly<Record<string, NpmTarball>>;
}

/** One version's archive; `integrity` is a list of `algorithm-base64` as in Subresource Integrity. */
export interface NpmTarball {
  readonly url: string;
  readonly integrity: string;
}

const packageSchema = v.object({
  "dist-tags": v.optional(v.object({ latest: v.optional(v.string()) }), {}),
  versions: v.record(
    v.string(),
    v.object({ dist: v.object({ tarball: v.string(), integrity: v.optional(v.string(), "") }) }),
  ),
});

const maximumBytes = 64 * 1024 * 1024;

/** Reads what a registry says of a package, in its abbreviated form. Throws UserError that says what was asked of whom. */
export async function readNpmPackage(
  name: string,
  { registry, fetch, retry }: { readonly registry: NpmRegistry; readonly fetch: Fetch; readonly retry: RetryPolicy },
): Promise<NpmPackage> {
  const url = `${registry.url}${name.replace("/", "%2f")}`;
  const ask = withRetry(followRedirects(fetch), retry);
  const response = await ask({
    url,
    headers: { accept: "application/vnd.npm.install-v1+json", ...authorization(registry) },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw refused(response.status, { name, registry });
  }
  const bytes = await readBody(response, { maximum: maximumBytes, what: `What ${placeOf(registry)} says of ${name}` });
  try {
    const { "dist-tags": tags, versions } = v.parse(packageSchema, JSON.parse(new TextDecoder().decode(bytes)));
    const tarballs = Object.entries(versions).map(
      ([version, { dist }]) => [version, { url: dist.tarball, integrity: dist.integrity }] as const,
    );
    return { latest: tags.latest, versions: Object.fromEntries(tarballs) };
  } catch (cause) {
    throw new UserError(`Could not read what ${placeOf(registry)} says of ${name}: ${messageOf(cause)}.`, { cause });
  }
}

/** An archive that comes: how many bytes it has, where the server says so, and its bytes, unchecked. */
export interface NpmArchive {
  readonly size: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * A version's archive; where the connection breaks it goes on from there, over a new one. Throws UserError for any answer but the
 * archive.
 */
export async function openNpmTarball(
  { url }: NpmTarball,
  { registry, fetch, retry }: { readonly registry: NpmRegistry; readonly fetch: Fetch; readonly retry: RetryPolicy },
): Promise<NpmArchive> {
  // A token is for the registry that it belongs to, wherever the archive lies.
  const isOwn = URL.parse(url)?.origin === new URL(registry.url).origin;
  const send = withRetry(followRedirects(fetch), retry);
  const ask = async (offset: number): Promise<Response> => {
    const range = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const response = await send({ url, headers: { ...(isOwn ? authorization(registry) : {}), ...range } });
    if (response.status === 200 || (offset > 0 && response.status === 206)) return response;
    await response.body?.cancel();
    throw new UserError(`Could not download ${url}: the server answered ${response.status}.`);
  };
  const first = await ask(0);
  const length = first.headers.get("content-length") ?? "";
  const size = /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  let pending: Response | undefined = first;
  const open = async (offset: number) => {
    const answer = pending ?? (await ask(offset));
    pending = undefined;
    return answer;
  };
  // Of unknown size, it may always be that something is missing.
  const download = { size: size ?? Number.MAX_SAFE_INTEGER, what: `archive ${url}`, open, retry };
  return { size, chunks: downloadBlob(download) };
}

/** A registry's address without the login that may be written in it. */
function placeOf({ url }: NpmRegistry): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function authorization({ token }: NpmRegistry): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function refused(status: number, { name, registry }: { name: string; registry: NpmRegistry }): UserError {
  const what = `${placeOf(registry)} answered ${status} when asked for the package ${name}.`;
  if (status === 401 || status === 403)
    return new UserError(what, { hint: "Log in to it with npm login, or name another with npm_config_registry." });
  if (status === 404)
    return new UserError(what, { hint: "A mirror may lack it: name another registry with npm_config_registry." });
  return new UserError(what, { hint: "Try again later." });
}
