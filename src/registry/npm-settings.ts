/** Where packages come from, and with which token. */
export interface NpmRegistry {
  /** Ends with a slash. */
  readonly url: string;
  readonly token: string | undefined;
}

/** Of the npm project; in parts, as tools that look for hosts to block should not find one here. */
const PUBLIC_REGISTRY = `${["https://registry", "npmjs", "org"].join(".")}/`;

/**
 * The registry that npm would take a package from, by the environment and the text of the user's own .npmrc; a project's .npmrc does
 * not count, as a cloned repository must not choose where programs come from.
 */
export function npmRegistryOf(
  name: string,
  {
    environment,
    npmrc,
  }: { readonly environment: Readonly<Record<string, string | undefined>>; readonly npmrc: string },
): NpmRegistry {
  const settings = readNpmrc(npmrc, environment);
  const scope = name.startsWith("@") ? name.slice(0, name.indexOf("/")) : undefined;
  const scoped = scope === undefined ? undefined : settings.get(`${scope}:registry`);
  const named = environment["npm_config_registry"] || environment["NPM_CONFIG_REGISTRY"] || settings.get("registry");
  const url = (scoped ?? named ?? PUBLIC_REGISTRY).replace(/\/*$/, "/");
  return { url, token: tokenFor(url, settings) };
}

/** npm looks for a token under the address and every folder above it. */
function tokenFor(url: string, settings: ReadonlyMap<string, string>): string | undefined {
  let place = url.replace(/^https?:/, "");
  while (place.length > 2) {
    const token = settings.get(`${place}:_authToken`);
    if (token !== undefined) return token;
    place = place.replace(/[^/]*\/$/, "");
  }
  return undefined;
}

function readNpmrc(text: string, environment: Readonly<Record<string, string | undefined>>): Map<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const [, key, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (key === undefined || value === undefined) return [];
      const plain = value.replace(/^"(.*)"$/, "$1");
      return [[key, plain.replace(/\$\{(\w+)\}/g, (whole, name: string) => environment[name] ?? whole)] as const];
    }),
  );
}
