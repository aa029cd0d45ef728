import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CredentialFacts, CredentialFile } from "../runtime/diagnosis/check-credentials.ts";
import { readCredentialNames, readOciAuth } from "../runtime/diagnosis/credential-names.ts";
import type { Tools } from "./tools.ts";

/** Where registry credentials are, by the registries' names; no value leaves this function. */
export async function inspectCredentials(tools: Tools): Promise<CredentialFacts> {
  const { environment } = tools;
  const dockerFile = join(environment["DOCKER_CONFIG"] || join(tools.homeDirectory, ".docker"), "config.json");
  const files = await Promise.all([inspectFile(dockerFile), ...podmanFiles(tools).map(inspectPodmanFile)]);
  const programs = files.flatMap(({ state }) =>
    state.kind === "read" ? state.names.helpers.map(({ program }) => program) : [],
  );
  const ociAuth = readOciAuth(environment["DEVCONTAINERS_OCI_AUTH"] ?? "");
  const githubHost = environment["GITHUB_HOST"] || "github.com";
  const promised = (environment["DOCKER_CONFIG"] ?? "") !== "" && files[0]?.state.kind === "absent";
  return {
    files,
    missingPrograms: new Set(
      programs.filter((program) => Bun.which(program, { PATH: environment["PATH"] ?? "" }) === null),
    ),
    environment: {
      ociAuth: ociAuth.registries,
      malformedOciAuth: ociAuth.malformed,
      githubToken: (environment["GITHUB_TOKEN"] ?? "") !== "" && githubHost === "github.com",
    },
    promisedFile: promised ? dockerFile : undefined,
  };
}

/** As containers-auth.json(5) has them. */
function podmanFiles({ environment, homeDirectory }: Tools): readonly string[] {
  const named = environment["REGISTRY_AUTH_FILE"] ?? "";
  if (named !== "") return [named];
  const runtime = environment["XDG_RUNTIME_DIR"] ?? "";
  const ofSession = runtime === "" ? `/run/containers/${process.getuid?.() ?? 0}` : join(runtime, "containers");
  const ofUser = join(environment["XDG_CONFIG_HOME"] || join(homeDirectory, ".config"), "containers");
  return [join(ofSession, "auth.json"), join(ofUser, "auth.json")];
}

/** Podman takes a file in a directory that it may not enter for an absent one. */
async function inspectPodmanFile(path: string): Promise<CredentialFile> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere ? inspectFile(path) : { path, state: { kind: "absent" } };
}

async function inspectFile(path: string): Promise<CredentialFile> {
  try {
    return { path, state: readCredentialNames(await readFile(path, "utf8")) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return { path, state: { kind: "absent" } };
    return { path, state: { kind: "unreadable", found: code === "EACCES" ? "permission denied" : String(code) } };
  }
}
