import { UserError } from "../errors.ts";
import type { PortAttributes } from "./schema.ts";

/** A port that is to be reachable on this machine although it is the container's own, or that of a host which the container knows. */
export interface ForwardedPort {
  /** `localhost` for the container itself. */
  readonly host: string;
  readonly port: number;
  readonly label: string | undefined;
  /** `http` or `https`; undefined for any stream of bytes. */
  readonly protocol: string | undefined;
  /** Whether the same number is wanted on this machine, or none. */
  readonly requireLocalPort: boolean;
  readonly elevateIfNeeded: boolean;
}

/** What a merged configuration says about ports. */
export interface PortSettings {
  readonly forwardPorts: readonly (number | string)[] | undefined;
  readonly portsAttributes: Readonly<Record<string, PortAttributes>>;
  readonly otherPortsAttributes: PortAttributes | undefined;
}

/** The host name of the container itself. */
export const CONTAINER_HOST = "localhost";

const HOST_NAME = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])$/;
const OWN_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"]);

/**
 * The ports to forward, each once: `forwardPorts`, then those that `portsAttributes` names one by one, without those whose own
 * `onAutoForward` is `ignore`. Ranges and regular expressions name no port, they only describe. Throws UserError for an entry of
 * `forwardPorts` that is no port.
 */
export function forwardedPorts(settings: PortSettings): readonly ForwardedPort[] {
  const described = Object.keys(settings.portsAttributes).flatMap((key) => parsePort(key) ?? []);
  const ports = new Map<string, ForwardedPort>();
  for (const { host, port } of [...(settings.forwardPorts ?? []).map(wantedPort), ...described]) {
    const own = ownAttributes(settings.portsAttributes, host, port);
    if (own?.onAutoForward === "ignore") continue;
    const attributes = own ?? settings.otherPortsAttributes ?? {};
    ports.set(`${host}:${port}`, {
      host,
      port,
      label: attributes.label,
      protocol: attributes.protocol,
      requireLocalPort: attributes.requireLocalPort === true,
      elevateIfNeeded: attributes.elevateIfNeeded === true,
    });
  }
  return [...ports.values()];
}

/** The place that `3000`, `"3000"`, `"localhost:3000"` or `"db:5432"` names; undefined for anything else. */
export function parsePort(written: number | string): { readonly host: string; readonly port: number } | undefined {
  const [, name = CONTAINER_HOST, digits = ""] = /^(?:(.+):)?(\d{1,5})$/.exec(String(written)) ?? [];
  const port = Number(digits);
  if (digits === "" || port < 1 || port > 65535 || !HOST_NAME.test(name)) return undefined;
  const host = OWN_NAMES.has(name) ? CONTAINER_HOST : name.replace(/^\[|\]$/g, "");
  return { host, port };
}

function wantedPort(written: number | string): { readonly host: string; readonly port: number } {
  const place = parsePort(written);
  if (place !== undefined) return place;
  throw new UserError(
    `forwardPorts has ${JSON.stringify(written)}; wanted a port number from 1 to 65535, or a host and a port like "db:5432".`,
  );
}

/** What is said about one port: the exact key first, then the first range that it is in. */
function ownAttributes(
  attributes: PortSettings["portsAttributes"],
  host: string,
  port: number,
): PortAttributes | undefined {
  const exact = Object.keys(attributes).find((key) => {
    const place = parsePort(key);
    return place?.host === host && place.port === port;
  });
  const range = () =>
    Object.keys(attributes).find((key) => {
      const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(key) ?? [];
      return host === CONTAINER_HOST && first !== undefined && port >= Number(first) && port <= Number(last);
    });
  const key = exact ?? range();
  return key === undefined ? undefined : attributes[key];
}
