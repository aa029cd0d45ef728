/** The user that `runArgs` hands to the engine's `run`, the last one where there are several. */
export function userOfRunArgs(runArgs: readonly string[]): string | undefined {
  return runArgs
    .map((arg, index) => {
      if (arg === "-u" || arg === "--user") return runArgs[index + 1];
      return /^(?:--user=|-u=?)(.+)$/s.exec(arg)?.[1];
    })
    .findLast((user) => user !== undefined);
}

/** Whether `runArgs` maps the ids of the container's users by itself. */
export function mapsIds(runArgs: readonly string[]): boolean {
  return runArgs.some((arg) => /^--[ug]idmap(=|$)/.test(arg));
}

/** Whether `runArgs` chooses the container's user namespace by itself. */
export function choosesUserNamespace(runArgs: readonly string[]): boolean {
  return runArgs.some((arg) => /^--userns(=|$)/.test(arg));
}

/** Who works in a container that is yet to be made, as far as it is said; the user part alone, `root` for 0. */
export function workingUser(said: {
  /** Merged. */
  readonly remoteUser: string | undefined;
  readonly runArgs: readonly string[];
  /** Merged; a Compose service's `user` where there is none. */
  readonly containerUser: string | undefined;
  readonly imageUser: string;
}): string {
  const user = said.remoteUser || userOfRunArgs(said.runArgs) || said.containerUser || said.imageUser;
  const name = user.split(":")[0] ?? "";
  return name === "" || name === "0" ? "root" : name;
}
