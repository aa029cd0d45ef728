import type { FoundCredential } from "./credential.ts";

/** What was known about a registry's login, and how to log in; never the login itself. */
export function describeAccess(domain: string, { source, places }: FoundCredential): string {
  const advice = `"docker login ${domain}" or "podman login ${domain}", or set DEVCONTAINERS_OCI_AUTH=${domain}|<user>|<token>.`;
  if (source !== undefined)
    return `The login for ${domain} in ${source} does not help here; check it, or log in anew with ${advice}`;
  return `No login for ${domain} was found in ${places.join(", ")}; log in with ${advice}`;
}
