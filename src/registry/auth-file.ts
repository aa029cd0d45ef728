import * as v from "valibot";
import { isJsonObject } from "../json.ts";
import { type Credential, credentialOfHelper } from "./credential.ts";

const entrySchema = v.object({
  auth: v.nullish(v.string(), ""),
  username: v.nullish(v.string(), ""),
  password: v.nullish(v.string(), ""),
  identitytoken: v.nullish(v.string(), ""),
});
const authFileSchema = v.object({
  auths: v.nullish(v.record(v.string(), v.nullish(entrySchema, {})), {}),
  credHelpers: v.nullish(v.record(v.string(), v.string()), {}),
  credsStore: v.nullish(v.string(), ""),
});

/** What Docker's `config.json` and Podman's `auth.json` say about logins. */
export type AuthFile = v.InferOutput<typeof authFileSchema>;

/** Reads the text of a login file; undefined when it is not one. */
export function parseAuthFile(text: string): AuthFile | undefined {
  try {
    const content: unknown = JSON.parse(text);
    const result = v.safeParse(authFileSchema, content);
    return isJsonObject(content) && result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** True when a login file names no login at all, neither in itself nor in a helper. */
export function hasNoLogins(file: AuthFile): boolean {
  return Object.keys(file.auths).length === 0 && Object.keys(file.credHelpers).length === 0 && file.credsStore === "";
}

/** The name that Docker gives to a registry in helpers: for Docker Hub a whole address. */
export function serverNameOf(domain: string): string {
  return domain === "docker.io" ? "https://index.docker.io/v1/" : domain;
}

/** The helper that a login file names for a registry: its own one, else the one for all. */
export function helperFor(file: AuthFile, domain: string): string | undefined {
  const own = Object.entries(file.credHelpers).find(([key]) => placeOf(key) === domain)?.[1];
  return (own ?? file.credsStore) || undefined;
}

/** The credential written in a login file for a repository: the longest matching `registry/namespace` key wins. */
export function credentialIn(file: AuthFile, wanted: { domain: string; repository: string }): Credential | undefined {
  const parts = [wanted.domain, ...wanted.repository.split("/")];
  for (let length = parts.length; length > 0; length--) {
    const place = parts.slice(0, length).join("/");
    const entries = Object.entries(file.auths).filter(([key]) => placeOf(key) === place);
    const credential = entries.map(([, entry]) => credentialOf(entry)).find((found) => found !== undefined);
    if (credential !== undefined) return credential;
  }
  return undefined;
}

// Keys are written with and without scheme and API version; Docker Hub has several hosts.
function placeOf(key: string): string {
  const place = key.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "");
  return place.replace(/^(?:index\.docker\.io|registry-1\.docker\.io)(?=\/|$)/, "docker.io");
}

function credentialOf(entry: AuthFile["auths"][string]): Credential | undefined {
  if (entry.identitytoken !== "") return { kind: "refresh-token", token: entry.identitytoken };
  if (entry.username !== "") return credentialOfHelper({ username: entry.username, secret: entry.password });
  const decoded = Buffer.from(entry.auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (colon < 1) return undefined;
  return { kind: "basic", username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
