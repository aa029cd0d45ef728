import { UserError } from "../errors.ts";
import { isLoopbackHost } from "../oci/registry-origin.ts";

/**
 * Where a registry wants the next part of an upload: its `Location`, relative to the request it answered. Throws a
 * UserError when there is none, when it leads from https to http, or holds a login.
 */
export function uploadLocation(response: Response, asked: { url: string; what: string }): string {
  const from = new URL(asked.url);
  const to = URL.parse(response.headers.get("location") ?? "", from.href);
  if (!response.headers.has("location") || to === null) throw refused(asked, "does not say where to upload it");
  // A registry behind a proxy that ends TLS does not know that it is reached by https.
  if (to.hostname === from.hostname && from.protocol === "https:" && to.protocol === "http:") {
    to.protocol = "https:";
    to.port = from.port;
  }
  const isPlain = to.protocol === "http:" && from.protocol === "http:";
  const mayBePlain = isPlain && (to.host === from.host || isLoopbackHost(to.hostname));
  if (to.protocol !== "https:" && !mayBePlain) throw refused(asked, `wants it at ${to.host} without TLS`);
  if (to.username !== "" || to.password !== "")
    throw refused(asked, `wants it at ${to.host} with a login in its address`);
  return to.href;
}

/** The address that ends an upload: its location, with the digest of what was uploaded. */
export function closingLocation(location: string, digest: string): string {
  const url = new URL(location);
  // Locations carry state that must come back as it was written: nothing of it is encoded anew.
  url.search = `${url.search === "" ? "?" : `${url.search}&`}digest=${encodeURIComponent(digest)}`;
  return url.href;
}

/** How many bytes a registry says it has of an upload: the end of its `Range`; undefined when that cannot be told. */
export function receivedBytes(response: Response): number | undefined {
  const end = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(response.headers.get("range") ?? "")?.[1];
  // "0-0" is said of nothing and of one byte alike.
  return end === undefined || end === "0" ? undefined : Number(end) + 1;
}

function refused(asked: { url: string; what: string }, reason: string): UserError {
  return new UserError(`Could not push the ${asked.what}: ${new URL(asked.url).host} ${reason}.`, {
    hint: "Whoever runs that registry can put it right.",
  });
}
