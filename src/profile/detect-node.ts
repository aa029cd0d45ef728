import { messageOf, UserError } from "../errors.ts";
import type { Detection, Finding, RepositoryFacts } from "./detection.ts";
import { textIn } from "./toml-value.ts";

/** What a Node repository's files say; undefined for a repository that is none. */
export function detectNode(facts: RepositoryFacts): Detection | undefined {
  const text = facts.read("package.json");
  if (text === undefined) return undefined;
  const manifest = parseManifest(text);
  const install = findInstall(facts, manifest);
  const runner = install.runner;
  const script = (name: string): Finding<string> | undefined =>
    isReal(textIn(manifest, "scripts", name))
      ? { value: `${runner} ${name}`, source: `package.json scripts.${name}` }
      : undefined;
  const typescript = facts.names.includes("tsconfig.json") && mentionsTypescript(manifest);
  return {
    language: { value: "node", source: "package.json" },
    baseImage: findBase(facts, manifest),
    install: { value: install.commands, source: install.source },
    test: script("test"),
    lint: script("lint"),
    typecheck:
      script("typecheck") ??
      script("type-check") ??
      (typescript ? { value: "npx --no-install tsc --noEmit", source: "tsconfig.json" } : undefined),
    env: install.env ?? {},
  };
}

function parseManifest(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`package.json is not JSON: ${messageOf(cause)}.`, { cause });
  }
}

function findBase(facts: RepositoryFacts, manifest: unknown): Finding<string> {
  const candidates = [
    [".nvmrc", facts.read(".nvmrc")],
    [".node-version", facts.read(".node-version")],
    ["package.json engines.node", textIn(manifest, "engines", "node")],
  ] as const;
  for (const [source, text] of candidates) {
    const major = /\d+/.exec(text ?? "")?.[0];
    if (major !== undefined) return { value: `node:${major}-slim`, source };
  }
  return { value: "node:lts-slim", source: "default" };
}

interface NodeInstall {
  readonly commands: readonly string[];
  readonly source: string;
  readonly runner: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The lockfile's package manager, which only some images have, is installed first. */
function findInstall(facts: RepositoryFacts, manifest: unknown): NodeInstall {
  const wanted = /^(pnpm|yarn|bun|npm)@(\d[\w.-]*)/.exec(textIn(manifest, "packageManager") ?? "");
  const pinned = (name: string) => (wanted?.[1] === name ? `${name}@${wanted[2]}` : name);
  const has = (name: string) => facts.names.includes(name);
  if (has("pnpm-lock.yaml")) {
    const manager = wanted?.[1] === "pnpm" ? pinned("pnpm") : pnpmOfLockfile(facts.read("pnpm-lock.yaml") ?? "");
    const commands = [`npm install --global ${manager}`, "pnpm install --frozen-lockfile"];
    return { commands, source: "pnpm-lock.yaml", runner: "pnpm run" };
  }
  const yarn = facts.read("yarn.lock");
  if (yarn !== undefined) {
    if (!/^__metadata:/m.test(yarn)) {
      // The first yarn is in the official images of some versions alone.
      const manager =
        wanted?.[1] === "yarn"
          ? `npm install --global --force ${pinned("yarn")}`
          : "command -v yarn || npm install --global yarn@1";
      return { commands: [manager, "yarn install --frozen-lockfile"], source: "yarn.lock", runner: "yarn run" };
    }
    const commands = ["npm install --global --force corepack", "corepack enable", "yarn install --immutable"];
    return { commands, source: "yarn.lock", runner: "yarn run", env: yarnEnvironment(facts) };
  }
  const bun = ["bun.lock", "bun.lockb"].find(has);
  if (bun !== undefined) {
    const [manager = bun] = bun.split(".");
    const commands = [`npm install --global ${pinned(manager)}`, "bun install --frozen-lockfile"];
    return { commands, source: bun, runner: "bun run" };
  }
  const lock = ["npm-shrinkwrap.json", "package-lock.json"].find(has);
  return {
    commands: [lock === undefined ? "npm install" : "npm ci"],
    source: lock ?? "package.json",
    runner: "npm run",
  };
}

/** The newest that reads the lockfile's version as it is: a later one would write it anew, which a frozen lockfile forbids. */
function pnpmOfLockfile(lockfile: string): string {
  const version = /^lockfileVersion:\s*['"]?(\d+)/m.exec(lockfile)?.[1];
  const major = version === "5" ? 7 : version === "6" ? 8 : version === "9" ? 10 : undefined;
  return major === undefined ? "pnpm" : `pnpm@${major}`;
}

/** What yarn would keep in the workspace, which is mounted over when the gates run, goes where they find it. */
function yarnEnvironment({ names, read }: RepositoryFacts): Readonly<Record<string, string>> {
  if (names.includes(".pnp.cjs")) return {};
  const chosen = /^nodeLinker:/m.test(read(".yarnrc.yml") ?? "");
  return {
    ...(chosen ? {} : { YARN_NODE_LINKER: "node-modules" }),
    YARN_INSTALL_STATE_PATH: "/opt/yarn/install-state.gz",
  };
}

/** npm writes a script that fails where there is no test. */
function isReal(script: string | undefined): boolean {
  return script !== undefined && !/no test specified/.test(script);
}

function mentionsTypescript(manifest: unknown): boolean {
  return ["dependencies", "devDependencies"].some((member) => textIn(manifest, member, "typescript") !== undefined);
}
