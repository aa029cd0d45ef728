import { isAbsolute, join } from "node:path";

/** Where the user's directories come from: the environment's XDG variables, else the home directory. */
export type UserDirectoriesSource = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
};

/** What can be downloaded or computed again: `$XDG_CACHE_HOME/cooper`. */
export function cacheDirectory(source: UserDirectoriesSource): string {
  return userDirectory(source, { variable: "XDG_CACHE_HOME", fallback: ".cache" });
}

/** What is remembered between runs on this machine, such as trust: `$XDG_STATE_HOME/cooper`. */
export function stateDirectory(source: UserDirectoriesSource): string {
  return userDirectory(source, { variable: "XDG_STATE_HOME", fallback: join(".local", "state") });
}

/** What cooper keeps for good: `$XDG_DATA_HOME/cooper`. */
export function dataDirectory(source: UserDirectoriesSource): string {
  return userDirectory(source, { variable: "XDG_DATA_HOME", fallback: join(".local", "share") });
}

/** What the user writes: `$XDG_CONFIG_HOME/cooper`. */
export function configDirectory(source: UserDirectoriesSource): string {
  return userDirectory(source, { variable: "XDG_CONFIG_HOME", fallback: ".config" });
}

// The XDG base directory specification wants relative paths ignored.
function userDirectory(source: UserDirectoriesSource, names: { variable: string; fallback: string }): string {
  const configured = source.environment[names.variable] ?? "";
  return join(isAbsolute(configured) ? configured : join(source.homeDirectory, names.fallback), "cooper");
}
