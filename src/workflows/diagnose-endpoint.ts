import type { Endpoint, EngineFacts } from "../runtime/diagnosis/engine-facts.ts";

/** Where the environment or a docker context sends a client; undefined for the default place. */
export function endpointOf(
  kind: EngineFacts["kind"],
  context: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Endpoint | undefined {
  const name = kind === "podman" ? "CONTAINER_HOST" : "DOCKER_HOST";
  const value = environment[name] ?? "";
  if (value !== "") return { kind: "variable", name, value: withoutPassword(value) };
  return context === undefined || context === "default" ? undefined : { kind: "context", name: context };
}

/** Whether an engine's address is a socket of this machine, as the default one is. */
export function isHere(host: string | undefined): boolean {
  return host === undefined || host === "" || host.startsWith("unix:");
}

/** Addresses in a text without the passwords in them. */
export function withoutPassword(text: string): string {
  return text.replace(/\/\/([^\s/@:]*):[^\s/@]*@/g, "//$1@");
}
