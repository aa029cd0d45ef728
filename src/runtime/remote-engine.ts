/** The address of an engine on another machine, where the environment names one; undefined for one of this machine. */
export function remoteEngineHost(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const address = environment["DOCKER_HOST"] || environment["CONTAINER_HOST"] || "";
  const remote = /^(?:tcp|ssh|https?):\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/i.exec(address);
  if (remote === null) return undefined;
  const host = remote[1] ?? "";
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/i.test(host) ? undefined : host;
}
