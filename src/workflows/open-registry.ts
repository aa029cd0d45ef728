import { createAskCredentialHelper } from "../host/credential-helper.ts";
import { createFetch, type Fetch, type FetchOptions } from "../host/fetch.ts";
import { createFindCredential } from "../registry/credentials.ts";
import { withMirrors } from "../registry/mirrors.ts";
import { createRegistryClient, type RegistryClient } from "../registry/registry-client.ts";
import { readRegistrySettings } from "../registry/registry-settings.ts";
import type { RegistryWriter } from "../registry/registry-writer.ts";
import type { RetryPolicy } from "../registry/retry.ts";
import { VERSION } from "../version.ts";
import type { Tools } from "./tools.ts";

type NetworkTools = Pick<Tools, "environment" | "homeDirectory" | "runProcess" | "interruption">;

/** HTTP as this run may use it: proxies of the environment, ended by an interruption; times are milliseconds. */
export function openFetch(tools: NetworkTools, limits: Pick<FetchOptions, "answerTimeout"> = {}): Fetch {
  return createFetch({
    ...limits,
    environment: tools.environment,
    userAgent: `cooper/${VERSION}`,
    signal: tools.interruption.signal,
  });
}

/**
 * A client for registries with the user's logins, looked up only when a registry asks for one, and with the mirrors and
 * plain registries that the environment names.
 */
export function openRegistry(tools: NetworkTools): RegistryClient & RegistryWriter {
  const settings = readRegistrySettings(tools.environment);
  const client = createRegistryClient({
    fetch: openFetch(tools),
    findCredential: createFindCredential({
      environment: tools.environment,
      homeDirectory: tools.homeDirectory,
      operatingSystem: process.platform,
      askHelper: createAskCredentialHelper(tools.runProcess),
    }),
    retry: networkRetry(tools),
    plainHttp: settings.plainHttp,
  });
  return withMirrors(client, settings);
}

/** How often and how long a busy server is asked again. */
export function networkRetry(tools: NetworkTools): RetryPolicy {
  return { sleep: (milliseconds) => sleep(tools, milliseconds), now: Date.now };
}

function sleep({ interruption }: NetworkTools, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    interruption.signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(interruption.signal.reason);
      },
      { once: true },
    );
  });
}
