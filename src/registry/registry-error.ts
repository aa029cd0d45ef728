import { UserError } from "../errors.ts";
import { readBody } from "./read-body.ts";

/** Why a registry's answer was no use: what a caller may want to tell apart. */
export type RegistryFailure = "not-found" | "refused" | "too-many-requests" | "unavailable" | "unexpected";

/** A registry answered, but not with what was asked for. */
export class RegistryError extends UserError {
  readonly failure: RegistryFailure;

  constructor(failure: RegistryFailure, message: string, options: { hint?: string } = {}) {
    super(message, options);
    this.name = "RegistryError";
    this.failure = failure;
  }
}

/** What was asked for and what came back, for the error's words. */
export type FailedAnswer = {
  /** Such as `manifest of ghcr.io/acme/dev:2`. */
  readonly what: string;
  readonly domain: string;
  readonly response: Response;
  /** What is known about credentials, in sentences. */
  readonly describeAccess: () => Promise<string>;
};

/** The error for an answer that is no success: what was asked for, what came back, what to do next. */
export async function failedAnswer({ what, domain, response, describeAccess }: FailedAnswer): Promise<RegistryError> {
  const { status } = response;
  const answer = `${domain} answered ${status}${await errorCodes(response)}`;
  if (status === 404) {
    return new RegistryError("not-found", `Could not find the ${what}: ${answer}.`, {
      hint: "Check the name and the tag or digest.",
    });
  }
  if (status === 401 || status === 403) {
    return new RegistryError("refused", `Could not read the ${what}: ${answer}. It needs a login or does not exist.`, {
      hint: await describeAccess(),
    });
  }
  if (status === 429) {
    return new RegistryError("too-many-requests", `Could not read the ${what}: ${answer}, too many requests.`, {
      hint: `Try again ${waitOf(response)}; registries allow more to those who are logged in. ${await describeAccess()}`,
    });
  }
  if (status === 408 || status >= 500) {
    return new RegistryError("unavailable", `Could not read the ${what}: ${answer}.`, {
      hint: "The registry has a problem of its own: try again later.",
    });
  }
  return new RegistryError(
    "unexpected",
    `Could not read the ${what}: ${answer}, which is not an answer of a registry.`,
    {
      hint: `Check that ${domain} is a container registry.`,
    },
  );
}

/** The error for an answer that ended a push: what was pushed where, what came back, what to do next. */
export async function failedPush({ what, domain, response, describeAccess }: FailedAnswer): Promise<RegistryError> {
  const { status } = response;
  const found = `Could not push the ${what}: ${domain} answered ${status}${await errorCodes(response)}`;
  if (status === 401 || status === 403) {
    return new RegistryError("refused", `${found}. It wants a login that may write there.`, {
      hint: await describeAccess(),
    });
  }
  if (status === 429) {
    return new RegistryError("too-many-requests", `${found}, too many requests.`, {
      hint: `Try again ${waitOf(response)}. What was uploaded stays there and is not sent again.`,
    });
  }
  if (status === 408 || status >= 500) {
    return new RegistryError("unavailable", `${found}.`, {
      hint: "The registry has a problem of its own: try again later. What was uploaded stays there and is not sent again.",
    });
  }
  if (status === 404) {
    return new RegistryError("not-found", `${found}.`, {
      hint: "Check the name; some registries want a repository to be made before it is pushed to.",
    });
  }
  return new RegistryError("unexpected", `${found}.`, { hint: hintOfRefusal(status, domain) });
}

function hintOfRefusal(status: number, domain: string): string {
  if (status === 413) return "That is more than the registry, or a proxy in front of it, lets through in one request.";
  if (status === 405) return `Check that ${domain} is a registry that may be written to, and no mirror.`;
  return `The registry refuses what was sent; check that ${domain} is a container registry and takes this kind of content.`;
}

function waitOf(response: Response): string {
  const seconds = response.headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(seconds) ? `in ${seconds} seconds` : "later";
}

// Codes only: a server's free text could echo what was sent to it.
async function errorCodes(response: Response): Promise<string> {
  const body = await readBody(response, { maximum: 65_536, what: "The answer" }).catch(() => new Uint8Array());
  const codes = [...new TextDecoder().decode(body).matchAll(/"code"\s*:\s*"([A-Z_]{3,40})"/g)].map(([, code]) => code);
  return codes.length === 0 ? "" : ` (${[...new Set(codes)].slice(0, 3).join(", ")})`;
}
