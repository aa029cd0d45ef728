import type { Fetch, HttpRequest } from "../host/fetch.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { basicAuthorization, type FindCredential } from "./credential.ts";
import { requestToken } from "./token.ts";

/** A request to the registry of a repository: `path` is appended to `scheme://host/v2/`. */
export type RegistryRequest = Omit<HttpRequest, "url"> & {
  readonly domain: string;
  readonly repository: string;
  readonly path: string;
  /** Where a registry said that the request is to go instead; its login goes along to its own origin only. */
  readonly location?: string;
  /** Whether to ask for a token that may write too. */
  readonly writes?: boolean;
  /** Another repository of the same registry that must be readable for it. */
  readonly from?: string | undefined;
};

/** Sends requests to registries, logged in where that is asked for; the answer may still be a refusal. */
export type RegistryFetch = (request: RegistryRequest) => Promise<Response>;

type Authorization = string | undefined;

/**
 * Asks anonymously first, and answers a challenge with a token or login that then serves all later requests to the same
 * repository in this process. Credentials are not looked for before a registry wants one, and go to its origin and
 * token server only.
 */
export function createRegistryFetch(
  fetch: Fetch,
  { findCredential, originOf }: { findCredential: FindCredential; originOf: (domain: string) => string },
): RegistryFetch {
  const authorizations = new Map<string, Promise<Authorization>>();
  return async (request) => {
    const { domain, repository, path, headers, location, writes, from, ...rest } = request;
    const origin = originOf(domain);
    const url = location ?? `${origin}/v2/${path}`;
    const send = (authorization: Authorization) =>
      fetch({
        ...rest,
        url,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
      });
    if (new URL(url).origin !== origin) return send(undefined);
    const scope = scopeOf(request);
    const key = `${domain} ${scope}`;
    const used = authorizations.get(key);
    const response = await send(await used);
    const challenge = challengeOf(response);
    if (challenge === undefined) return response;
    // Others may have renewed it while this request was under way.
    const current = authorizations.get(key);
    const renewed =
      current !== undefined && current !== used ? current : authorize({ domain, repository, origin, challenge, scope });
    authorizations.set(key, renewed);
    const authorization = await forgetOnFailure(renewed, () => authorizations.delete(key));
    if (authorization === undefined) return response;
    await response.body?.cancel();
    return send(authorization);
  };

  async function authorize(wish: {
    domain: string;
    repository: string;
    origin: string;
    challenge: Challenge;
    scope: string;
  }): Promise<Authorization> {
    const { credential } = await findCredential(wish);
    if (wish.challenge.scheme === "basic") {
      return credential?.kind === "basic" ? basicAuthorization(credential) : undefined;
    }
    const token = await requestToken(fetch, { ...wish, credential });
    return token === undefined ? undefined : `Bearer ${token}`;
  }
}

function scopeOf({ repository, writes, from }: RegistryRequest): string {
  const own = `repository:${repository}:${writes === true ? "pull,push" : "pull"}`;
  return from === undefined ? own : `${own} repository:${from}:pull`;
}

function challengeOf(response: Response): Challenge | undefined {
  if (response.status !== 401 && response.status !== 403) return undefined;
  const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
  return ["bearer", "basic"].flatMap((scheme) => challenges.filter((challenge) => challenge.scheme === scheme))[0];
}

async function forgetOnFailure(authorization: Promise<Authorization>, forget: () => void): Promise<Authorization> {
  try {
    const value = await authorization;
    if (value === undefined) forget();
    return value;
  } catch (thrown) {
    forget();
    throw thrown;
  }
}
