import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { UserError } from "../errors.ts";
import { type AuthFile, credentialIn, hasNoLogins, helperFor, parseAuthFile, serverNameOf } from "./auth-file.ts";
import {
  type AskCredentialHelper,
  type Credential,
  credentialOfHelper,
  type FindCredential,
  type FoundCredential,
} from "./credential.ts";

/** Where logins are looked for; nothing of it is touched before the first question. */
export type CredentialSources = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  /** As `process.platform` names it. */
  readonly operatingSystem: string;
  readonly askHelper: AskCredentialHelper;
};

type Wanted = { readonly domain: string; readonly repository: string };

/** What one source knows: where it looked, and the credential if it has one. */
type Answer = { readonly places: readonly string[]; readonly credential?: Credential | undefined };

/**
 * Looks for a registry's login: DEVCONTAINERS_OCI_AUTH, Docker's configuration (helpers, then what is written in it),
 * Podman's `auth.json`, the system's own helper when Docker's configuration names no login, GITHUB_TOKEN for ghcr.io.
 * The first found counts.
 */
export function createFindCredential(sources: CredentialSources): FindCredential {
  const answers = new Map<string, Promise<FoundCredential>>();
  return (wanted) => {
    const key = `${wanted.domain}/${wanted.repository}`;
    const known = answers.get(key) ?? findCredential(wanted, sources);
    answers.set(key, known);
    return known;
  };
}

async function findCredential(wanted: Wanted, sources: CredentialSources): Promise<FoundCredential> {
  const places: string[] = [];
  for (const ask of [fromVariable, fromDocker, fromPodman, fromSystemHelper, fromGithubToken]) {
    const answer = await ask(wanted, sources);
    places.push(...answer.places);
    if (answer.credential !== undefined) return { credential: answer.credential, source: places.at(-1), places };
  }
  return { credential: undefined, source: undefined, places };
}

async function fromVariable({ domain }: Wanted, { environment }: CredentialSources): Promise<Answer> {
  const places = ["DEVCONTAINERS_OCI_AUTH"];
  for (const entry of (environment["DEVCONTAINERS_OCI_AUTH"] ?? "").split(",")) {
    const [registry, username, ...password] = entry.trim().split("|");
    if (registry?.toLowerCase() !== domain || username === undefined || password.length === 0) continue;
    return { places, credential: { kind: "basic", username, password: password.join("|") } };
  }
  return { places };
}

async function fromDocker(wanted: Wanted, sources: CredentialSources): Promise<Answer> {
  return fromAuthFile(dockerConfigFile(sources), { wanted, sources });
}

async function fromPodman(wanted: Wanted, sources: CredentialSources): Promise<Answer> {
  const places: string[] = [];
  for (const path of podmanAuthFiles(sources)) {
    const answer = await fromAuthFile(path, { wanted, sources });
    places.push(...answer.places);
    if (answer.credential !== undefined) return { places, credential: answer.credential };
  }
  return { places };
}

function dockerConfigFile({ environment, homeDirectory }: CredentialSources): string {
  return join(environment["DOCKER_CONFIG"] || join(homeDirectory, ".docker"), "config.json");
}

function podmanAuthFiles({ environment, homeDirectory }: CredentialSources): string[] {
  const named = environment["REGISTRY_AUTH_FILE"];
  if (named) return [named];
  const runtime = environment["XDG_RUNTIME_DIR"];
  const config = environment["XDG_CONFIG_HOME"] || join(homeDirectory, ".config");
  return [...(runtime ? [join(runtime, "containers", "auth.json")] : []), join(config, "containers", "auth.json")];
}

async function fromAuthFile(
  path: string,
  { wanted, sources }: { wanted: Wanted; sources: CredentialSources },
): Promise<Answer> {
  const file = await readAuthFile(path);
  if (file === "absent") return { places: [path] };
  if (file === "unreadable") return { places: [`${path} (which cannot be read as JSON with logins)`] };
  const helper = helperFor(file, wanted.domain);
  const asked: Answer = helper === undefined ? { places: [] } : await fromHelper(helper, { wanted, sources });
  if (asked.credential !== undefined) return { ...asked, places: [path, ...asked.places] };
  return { places: [...asked.places, path], credential: credentialIn(file, wanted) };
}

async function readAuthFile(path: string): Promise<AuthFile | "absent" | "unreadable"> {
  try {
    return parseAuthFile(await readFile(path, "utf8")) ?? "unreadable";
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT" ? "absent" : "unreadable";
  }
}

async function fromHelper(
  name: string,
  { wanted, sources }: { wanted: Wanted; sources: CredentialSources },
): Promise<Answer> {
  const place = `docker-credential-${name}`;
  try {
    const answer = await sources.askHelper(name, serverNameOf(wanted.domain));
    return { places: [place], credential: answer === undefined ? undefined : credentialOfHelper(answer) };
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    return { places: [`${place} (which failed: ${thrown.message.replace(/\.$/, "")})`] };
  }
}

async function fromSystemHelper(wanted: Wanted, sources: CredentialSources): Promise<Answer> {
  const file = await readAuthFile(dockerConfigFile(sources));
  if (file === "unreadable" || (file !== "absent" && !hasNoLogins(file))) return { places: [] };
  const helper = systemHelper(sources);
  // Nobody chose it: where it is not installed it is not worth a word.
  if (!isOnPath(`docker-credential-${helper}`, sources)) return { places: [] };
  return fromHelper(helper, { wanted, sources });
}

function systemHelper(sources: CredentialSources): string {
  if (sources.operatingSystem === "win32") return "wincred";
  if (sources.operatingSystem === "darwin") return "osxkeychain";
  return isOnPath("pass", sources) ? "pass" : "secretservice";
}

function isOnPath(name: string, { environment, operatingSystem }: CredentialSources): boolean {
  const file = operatingSystem === "win32" ? `${name}.exe` : name;
  const directories = (environment["PATH"] ?? "").split(delimiter).filter((directory) => directory !== "");
  return directories.some((directory) => isExecutable(join(directory, file)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function fromGithubToken({ domain }: Wanted, { environment }: CredentialSources): Promise<Answer> {
  const host = environment["GITHUB_HOST"] || "github.com";
  if (domain !== "ghcr.io" || host !== "github.com") return { places: [] };
  const password = environment["GITHUB_TOKEN"];
  const places = ["GITHUB_TOKEN"];
  return password ? { places, credential: { kind: "basic", username: "USERNAME", password } } : { places };
}
