import * as v from "valibot";
import { UserError } from "../errors.ts";
import type { Fetch, HttpRequest } from "../host/fetch.ts";
import { isLoopbackHost } from "../oci/registry-origin.ts";
import type { Challenge } from "./challenge.ts";
import { basicAuthorization, type Credential } from "./credential.ts";
import { readBody } from "./read-body.ts";

/** What an access token is wanted for. */
export type TokenWish = {
  /** `scheme://host[:port]` of the registry that sent the challenge. */
  readonly origin: string;
  readonly challenge: Challenge;
  /** What is asked for, one or more scopes with spaces between, unless the challenge wants more. */
  readonly scope: string;
  readonly credential: Credential | undefined;
};

const answerSchema = v.union([v.object({ token: v.string() }), v.object({ access_token: v.string() })]);
const maximumAnswer = 1024 * 1024;

/**
 * The access token of a `Bearer` challenge (distribution spec, token authentication): asked for with the credential,
 * and without one when that is refused; undefined when both are. Throws a UserError for a token server that is not to
 * be trusted with a credential.
 */
export async function requestToken(fetch: Fetch, wish: TokenWish): Promise<string | undefined> {
  const realm = realmOf(wish);
  if (realm === undefined) return undefined;
  const withCredential = wish.credential === undefined ? undefined : await ask(fetch, tokenRequest(realm, wish));
  return withCredential ?? ask(fetch, tokenRequest(realm, { ...wish, credential: undefined }));
}

function realmOf({ origin, challenge }: TokenWish): URL | undefined {
  const written = challenge.parameters.get("realm") ?? "";
  const realm = URL.parse(written);
  if (realm === null) throw refusedRealm(origin, "which is not an address");
  // Microsoft's public registry needs no token; its token server has none for anonymous users.
  if (realm.hostname === "mcr.microsoft.com") return undefined;
  // Who is content with a plain registry gets its tokens from itself, or from this machine.
  const mayBePlain = isLoopbackHost(realm.hostname) || realm.origin === origin;
  const isPlain = realm.protocol === "http:" && origin.startsWith("http:") && mayBePlain;
  if (realm.protocol !== "https:" && !isPlain) throw refusedRealm(origin, `at ${realm.host} without TLS`);
  if (realm.username !== "" || realm.password !== "")
    throw refusedRealm(origin, `at ${realm.host} with a login in its address`);
  return realm;
}

function refusedRealm(origin: string, found: string): UserError {
  return new UserError(`Refused to log in to ${new URL(origin).host}: it names a token server ${found}.`, {
    hint: "Credentials are only sent over TLS. Whoever runs the registry can put it right.",
  });
}

function tokenRequest(realm: URL, { challenge, scope, credential }: TokenWish): HttpRequest {
  const asked = {
    service: challenge.parameters.get("service") ?? "",
    // One token serves all that is done to a repository: a challenge to the first read would ask for less.
    scope: scope.includes("push") ? scope : (challenge.parameters.get("scope") ?? scope),
  };
  if (credential?.kind === "refresh-token") {
    const form = { client_id: "devcontainer", grant_type: "refresh_token", ...asked, refresh_token: credential.token };
    return {
      method: "POST",
      isRepeatable: true,
      url: realm.href,
      headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
    };
  }
  const url = new URL(realm);
  if (asked.service !== "") url.searchParams.set("service", asked.service);
  for (const part of asked.scope.split(" ")) url.searchParams.append("scope", part);
  const authorization = credential === undefined ? {} : { authorization: basicAuthorization(credential) };
  return { url: url.href, headers: { accept: "application/json", ...authorization } };
}

async function ask(fetch: Fetch, request: HttpRequest): Promise<string | undefined> {
  const response = await fetch(request);
  const host = new URL(request.url).host;
  const body = await readBody(response, { maximum: maximumAnswer, what: `The token server ${host}'s answer` });
  if (response.status === 401 || response.status === 403) return undefined;
  const parsed = v.safeParse(answerSchema, response.status === 200 ? parseJson(body) : undefined);
  const token = parsed.success ? ("token" in parsed.output ? parsed.output.token : parsed.output.access_token) : "";
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new UserError(`Could not get an access token: ${host} answered ${response.status} without one.`, {
    hint: "The registry has a problem of its own: try again later.",
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
