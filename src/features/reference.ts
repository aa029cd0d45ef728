import { posix } from "node:path";
import { UserError } from "../errors.ts";
import { namesRegistry, type OciFeatureReference, parseOciFeatureReference } from "./oci-reference.ts";
import type { FeatureWarning } from "./warning.ts";

/** A `devcontainer-feature-<id>.tgz` at an https address. */
export type TarballFeatureReference = { readonly kind: "tarball"; readonly url: string; readonly id: string };

/** A folder of the project; `folder` is absolute. */
export type LocalFeatureReference = { readonly kind: "local"; readonly folder: string; readonly id: string };

/** A release asset of a GitHub repository, the way Features were published before registries. */
export type GithubFeatureReference = {
  readonly kind: "github-legacy";
  readonly owner: string;
  readonly repository: string;
  readonly id: string;
  /** The release's tag; undefined is the latest release. */
  readonly tag: string | undefined;
};

/** Where a Feature comes from. */
export type FeatureReference =
  | OciFeatureReference
  | TarballFeatureReference
  | LocalFeatureReference
  | GithubFeatureReference;

/** Where relative Feature paths start, and the workspace whose `.devcontainer` folder they may not leave. */
export type FeatureLocation = { readonly configFolder: string; readonly workspaceFolder: string };

const shortIds = [
  "aws-cli",
  "azure-cli",
  "desktop-lite",
  "docker-in-docker",
  "docker-from-docker",
  "dotnet",
  "git",
  "git-lfs",
  "github-cli",
  "java",
  "kubectl-helm-minikube",
  "node",
  "powershell",
  "python",
  "ruby",
  "rust",
  "sshd",
  "terraform",
];
const replacements = new Map<string, string>([
  ...shortIds.map((id) => [id, `ghcr.io/devcontainers/features/${id}:1`] as const),
  ["golang", "ghcr.io/devcontainers/features/go:1"],
  ["common", "ghcr.io/devcontainers/features/common-utils:1"],
]);
const tarballName = /devcontainer-feature-([A-Za-z0-9_-]+)\.tgz/;
const githubForm = /^([A-Za-z0-9_-]+)\/([A-Za-z0-9._-]+)\/([A-Za-z0-9_-]+)(?:@([^/@]+))?$/;

/**
 * Tells from its text alone where a Feature comes from (§4.2); throws a UserError for an id that can mean nothing.
 * A first segment that cannot be a registry's host makes three segments a GitHub repository.
 */
export function classifyFeatureId(
  userId: string,
  location: FeatureLocation,
): { reference: FeatureReference; warnings: FeatureWarning[] } {
  const replacement = replacements.get(userId);
  if (replacement !== undefined) {
    const reference = parseOciFeatureReference(replacement);
    return { reference, warnings: [{ kind: "remapped", userId, replacement }] };
  }
  if (!/[/\\]/.test(userId)) throw legacyId(userId);
  if (/^https?:\/\//i.test(userId)) return { reference: parseTarball(userId), warnings: [] };
  if (/^\.{0,2}\//.test(userId)) return { reference: parseLocal(userId, location), warnings: [] };
  if (namesRegistry(userId)) return { reference: parseOciFeatureReference(userId), warnings: [] };
  const github = githubForm.exec(userId);
  if (github === null) throw unresolvable(userId);
  const [, owner = "", repository = "", id = "", tag] = github;
  const reference = { kind: "github-legacy", owner, repository, id, tag } as const;
  return { reference, warnings: [{ kind: "github-legacy", userId }] };
}

/** The failure of a Feature that exists nowhere, in words that other tools look for. */
export function notProcessable(
  userId: string,
  { reason, hint, cause }: { reason: string; hint?: string | undefined; cause?: unknown },
): UserError {
  return new UserError(`ERR: Feature '${userId}' could not be processed. ${reason}`, {
    hint: hint ?? "Check the id, and that you are logged in to its registry and may read it.",
    cause,
  });
}

function parseTarball(url: string): TarballFeatureReference {
  if (!url.startsWith("https://")) {
    throw new UserError(`Feature '${url}' is not fetched: only https:// addresses are.`);
  }
  const lastSegment = url.split("/").at(-1) ?? "";
  const id = tarballName.exec(lastSegment)?.[1];
  if (id === undefined) {
    throw new UserError(
      `Feature '${url}' is not a Feature's archive: its file must be called devcontainer-feature-<id>.tgz.`,
    );
  }
  return { kind: "tarball", url, id };
}

function parseLocal(userId: string, location: FeatureLocation): LocalFeatureReference {
  if (userId.startsWith("/")) {
    throw new UserError(`Feature '${userId}': an absolute path to a local Feature is not allowed.`, {
      hint: "Write it relative to devcontainer.json, starting with ./",
    });
  }
  const allowed = posix.join(location.workspaceFolder, ".devcontainer");
  const folder = posix.resolve(location.configFolder, userId);
  const inside = posix.relative(allowed, folder);
  if (inside === "" || inside === ".." || inside.startsWith("../")) {
    throw new UserError(
      `Feature '${userId}': a local Feature must be a child of the .devcontainer folder; found ${folder}, wanted a folder inside ${allowed}.`,
    );
  }
  return { kind: "local", folder, id: posix.basename(folder) };
}

function legacyId(userId: string): UserError {
  return new UserError(
    `Legacy feature '${userId}' not supported. Please check https://containers.dev/features for replacements.
If you were hoping to use local Features, remember to prepend your Feature name with "./". Please check https://containers.dev/implementors/features-distribution/#addendum-locally-referenced for more information.`,
  );
}

function unresolvable(userId: string): UserError {
  return notProcessable(userId, {
    reason:
      "It is none of: <registry>/<namespace>/<id>[:<version>] (the registry's name has a dot or is localhost), https://…/devcontainer-feature-<id>.tgz, ./<folder>.",
  });
}
