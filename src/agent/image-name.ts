import { hexOf, sha256Of } from "../oci/digest.ts";

/** The label that names the agent of an image or a container. */
export const AGENT_LABEL = "dev.cooper.agent";

/** The label with the agent's version. */
export const AGENT_VERSION_LABEL = "dev.cooper.agent.version";

/** The label with the reference of the base that an agent's image extends. */
export const AGENT_BASE_LABEL = "dev.cooper.agent.base";

/** What the project part of the stock base's derived name is. */
export const STOCK_BASE_NAME = "ocx-base";

/**
 * The name of an agent's image on a base: `ocx-<base>:<version>`, `ocx:<version>` on the stock base (undefined). Agents other than the
 * first have their own name in place of `ocx`.
 */
export function agentImageName(
  agent: string,
  { base, version }: { readonly base: string | undefined; readonly version: string },
): string {
  const prefix = agent === "opencode" ? "ocx" : `ocx-${agent}`;
  return base === undefined ? `${prefix}:${version}` : `${prefix}-${sanitise(base)}:${version}`;
}

/** The name for a base whose usual name is another base's: told apart by eight hex digits. */
export function distinctImageName(name: string, base: string): string {
  const colon = name.lastIndexOf(":");
  return `${name.slice(0, colon)}-${hexOf(sha256Of(base)).slice(0, 8)}${name.slice(colon)}`;
}

/** A base's reference as part of a repository's name: lower case, separators single, at most 150 characters. */
function sanitise(base: string): string {
  const text = base
    .toLowerCase()
    .replace(/@sha256:([0-9a-f]{12})[0-9a-f]*$/, "-$1")
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/\.{2,}/g, "-")
    .replace(/[.-]*-[.-]*/g, "-")
    .replace(/^[.-]+|[.-]+$/g, "");
  if (text === "") return hexOf(sha256Of(base)).slice(0, 12);
  return text.length <= 150 ? text : `${text.slice(0, 140).replace(/[.-]+$/, "")}-${hexOf(sha256Of(base)).slice(0, 8)}`;
}
