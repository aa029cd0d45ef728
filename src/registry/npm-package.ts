import * as v from "valibot";
import { messageOf, UserError } from "../errors.ts";
import type { Fetch } from "../host/fetch.ts";
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

/** The bytes of a version's archive as they come, unchecked. Throws UserError for any answer but the archive. */
export async function openNpmTarball(
  { url }: NpmTarball,
  { registry, fetch, retry }: { readonly registry: NpmRegistry; readonly fetch: Fetch; readonly retry: RetryPolicy },
): Promise<ReadableStream<Uint8Array>> {
  // A token is for the registry that it belongs to, wherever the archive lies.
  const isOwn = URL.parse(url)?.origin === new URL(registry.url).origin;
  const response = await withRetry(
    followRedirects(fetch),
    retry,
  )({ url, headers: isOwn ? authorization(registry) : {} });
  if (response.status === 200 && response.body !== null) return response.body;
  await response.body?.cancel();
  throw new UserError(`Could not download ${url}: the server answered ${response.status}.`);
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
