/** What a process in a container gets beside the container's own environment, and what it must not have. */
export interface RemoteEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
}

/**
 * The environment of tools and hooks: what the user's shell sets up, then `--remote-env`, then `remoteEnv`, each stronger than the one
 * before. `null` takes a variable away, from the container's own environment too.
 */
export function mergeRemoteEnvironment(sources: {
  readonly containerEnv: Readonly<Record<string, string>>;
  readonly probed: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, string>>;
  readonly remoteEnv: Readonly<Record<string, string | null>>;
}): RemoteEnvironment {
  const merged: Readonly<Record<string, string | null>> = {
    ...sources.probed,
    ...sources.flags,
    ...sources.remoteEnv,
  };
  const env: Record<string, string> = {};
  const unset: string[] = [];
  for (const [name, value] of Object.entries(merged)) {
    // What the container has anyway need not be said again, nor taken away where it has not.
    if (value === null) unset.push(...(Object.hasOwn(sources.containerEnv, name) ? [name] : []));
    else if (sources.containerEnv[name] !== value) env[name] = value;
  }
  return { env, unset };
}

/**
 * The shell's PATH with what only the container's has put in at its place: for where login shells overwrite it. Folders called `sbin`
 * are for root alone.
 */
export function mergePaths(shellPath: string, containerPath: string, isRoot: boolean): string {
  const merged = shellPath.split(":");
  let place = 0;
  for (const entry of containerPath.split(":")) {
    const known = merged.indexOf(entry);
    if (known !== -1) {
      place = known + 1;
    } else if (isRoot || !/\/sbin(?:\/|$)/.test(entry)) {
      merged.splice(place, 0, entry);
      place += 1;
    }
  }
  return merged.join(":");
}

/**
 * The variables that a shell printed between two `mark`s, as `/proc/self/environ` or `printenv` has them; undefined without both
 * marks. What describes the shell itself (`PWD`, `OLDPWD`, `SHLVL`, `_`) is left out.
 */
export function readProbedEnvironment(output: string, mark: string): Record<string, string> | undefined {
  const begin = output.indexOf(mark);
  const end = output.indexOf(mark, begin + mark.length);
  if (begin === -1 || end === -1) return undefined;
  const text = output.slice(begin + mark.length, end);
  const entries = text.split(text.includes("\0") ? "\0" : "\n");
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const sign = entry.indexOf("=");
      const name = entry.slice(0, sign);
      return sign < 1 || ["PWD", "OLDPWD", "SHLVL", "_"].includes(name) ? [] : [[name, entry.slice(sign + 1)] as const];
    }),
  );
}
