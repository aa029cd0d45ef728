import type { EngineInfo } from "./engine-info.ts";

/** What became of talking to an engine; `found` is what its client said. */
export type EngineState =
  | { readonly kind: "answers" }
  | { readonly kind: "not installed" }
  | { readonly kind: "not running"; readonly found: string }
  | { readonly kind: "permission denied"; readonly found: string; readonly socket: SocketFacts | undefined }
  | { readonly kind: "silent"; readonly seconds: number }
  | { readonly kind: "failed"; readonly found: string };

/** A socket that the user may not use. */
export interface SocketFacts {
  readonly path: string;
  /** The group that owns it, if that group may use it and is not root's. */
  readonly group: string | undefined;
  /** Whether the group's list has the user, who only has to log in again. */
  readonly userIsMember: boolean;
}

/** One client, and the engine behind it. */
export interface EngineFacts {
  /** As the user named it, or as PATH has it. */
  readonly path: string;
  readonly kind: "docker" | "podman" | "unknown";
  readonly clientVersion: string | undefined;
  readonly serverVersion: string | undefined;
  readonly state: EngineState;
  readonly info: EngineInfo | undefined;
  /** Whether the engine runs on this very machine, as far as its client's settings tell. */
  readonly here: boolean;
  /** Where the client was told to find its engine, credentials left out. */
  readonly endpoint: Endpoint | undefined;
  /** Podman's virtual machines, where it needs one; undefined where it needs none. */
  readonly virtualMachines: number | undefined;
}

/** A place other than the default one, and what named it. */
export type Endpoint =
  | { readonly kind: "variable"; readonly name: "DOCKER_HOST" | "CONTAINER_HOST"; readonly value: string }
  | { readonly kind: "context"; readonly name: string };

/** Which engines there are, and what chose among them. */
export interface EngineChoice {
  readonly from: "flag" | "environment" | "configuration" | "PATH";
  /** Why the user's configuration could not be asked, if so. */
  readonly configurationError: { readonly message: string; readonly hint: string | undefined } | undefined;
  /** The engines that a command would try, in its order. */
  readonly candidates: readonly EngineFacts[];
  /** Other clients on PATH. */
  readonly others: readonly string[];
}

/** The engine that a command would use: the first, or another that answers if the first cannot be reached. */
export function usedEngine({ candidates: [first, ...others] }: EngineChoice): EngineFacts | undefined {
  if (first?.state.kind === "not running" || first?.state.kind === "permission denied") {
    return others.find(({ state }) => state.kind === "answers");
  }
  return first?.state.kind === "answers" ? first : undefined;
}

/** An endpoint in a few words. */
export function describeEndpoint(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case "variable":
      return `${endpoint.name}=${endpoint.value}`;
    case "context":
      return `context ${endpoint.name}`;
  }
}
