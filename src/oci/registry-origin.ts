import { UserError } from "../errors.ts";
import { isDomain, registryHost } from "./reference.ts";

/** True for `localhost` and loopback IP literals, as written in a URL's or reference's host without its port. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(hostname)
  );
}

/**
 * The `scheme://host[:port]` that serves a domain's registry API: plain HTTP on this machine's loopback, TLS elsewhere.
 * Throws a UserError for a host without a dot, which is more likely a mistyped name than a registry.
 */
export function registryOrigin(domain: string): string {
  const host = registryHost(domain);
  const hostname = host.replace(/:\d+$/, "");
  if (isDomain(host) && isLoopbackHost(hostname)) return `http://${host}`;
  if (isDomain(host) && (hostname.includes(".") || hostname.startsWith("["))) return `https://${host}`;
  throw new UserError(`${JSON.stringify(domain)} is not contacted: it is not the name of a registry host.`, {
    hint: 'Use a host with a dot, "localhost" or an IP address.',
  });
}
