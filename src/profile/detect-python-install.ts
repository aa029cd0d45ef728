import type { RepositoryFacts } from "./detection.ts";
import { hasIniSection, iniValue } from "./ini-value.ts";
import {
  dependencyGroupsOf,
  extrasOf,
  quoteWord,
  requirementsFiles,
  toxDependencies,
  wantedNames,
} from "./python-dependencies.ts";
import { valueIn } from "./toml-value.ts";

/** How a repository is installed, and what is in it afterwards. */
export interface Installation {
  readonly commands: readonly string[];
  readonly source: string;
  /** Text in which the names of installed packages occur. */
  readonly installed: string;
  /** Before the command of a gate. */
  readonly prefix: string;
  /** Before the name of a tool that is to be installed as well. */
  readonly addTool: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Installs packages for the image's own Python. */
export const PIP = "python -m pip install";
/** Not in the workspace, which is mounted over when the gates run, and not beside the tool that installs it, which it could break. */
const ENVIRONMENT = "/opt/venv";

/** How the strongest of a repository's files has it installed; undefined when none says so. */
export function detectInstallation(facts: RepositoryFacts): Installation | undefined {
  if (facts.names.includes("uv.lock")) return installWithUv(facts);
  if (facts.names.includes("poetry.lock")) return installWithPoetry(facts);
  if (facts.names.includes("pdm.lock")) return installWithPdm(facts);
  return installWithPip(facts);
}

function installWithUv(facts: RepositoryFacts): Installation {
  const { project, extras, groups } = wantedOf(facts);
  const defaults = valueIn(project, "tool", "uv", "default-groups") ?? ["dev"];
  const added = defaults === "all" ? [] : groups.filter((name) => !isIn(defaults, name));
  const words = [
    ...(valueIn(project, "tool", "uv", "workspace") === undefined ? [] : ["--all-packages"]),
    ...extras.map((name) => `--extra ${name}`),
    ...added.map((name) => `--group ${name}`),
  ];
  return {
    commands: [`${PIP} uv`, ["uv sync --frozen", ...words].join(" ")],
    source: "uv.lock",
    installed: installedText(facts, [
      valueIn(project, "tool", "uv", "dev-dependencies"),
      Object.entries(dependencyGroupsOf(facts)).filter(([name]) => defaults === "all" || isIn(defaults, name)),
    ]),
    prefix: "uv run --no-sync ",
    addTool: `uv pip install --python ${ENVIRONMENT}`,
    env: { UV_PROJECT_ENVIRONMENT: ENVIRONMENT },
  };
}

function isIn(list: unknown, name: string): boolean {
  return Array.isArray(list) && list.includes(name);
}

function installWithPoetry(facts: RepositoryFacts): Installation {
  const { project, extras } = wantedOf(facts);
  const poetry = valueIn(project, "tool", "poetry");
  const groups = Object.keys(Object(valueIn(poetry, "group")));
  const isOptional = (name: string) => valueIn(poetry, "group", name, "optional") === true;
  const all = [...new Set([...extras, ...wantedNames(Object.keys(Object(valueIn(poetry, "extras"))))])];
  const words = [
    ...all.map((name) => `--extras ${name}`),
    ...wantedNames(groups.filter(isOptional)).map((name) => `--with ${name}`),
  ];
  const tables = [valueIn(poetry, "dependencies"), valueIn(poetry, "dev-dependencies"), valueIn(poetry, "group")];
  return inEnvironment("poetry", {
    sync: ["poetry install --no-interaction", ...words].join(" "),
    installed: installedText(facts, tables),
  });
}

function installWithPdm(facts: RepositoryFacts): Installation {
  const { project, extras } = wantedOf(facts);
  const groups = extras.map((name) => `--group ${name}`);
  const installed = installedText(facts, valueIn(project, "tool", "pdm", "dev-dependencies"));
  return inEnvironment("pdm", { sync: ["pdm sync", ...groups].join(" "), installed });
}

/** Both install into the environment that is active. */
function inEnvironment(
  tool: "poetry" | "pdm",
  { sync, installed }: { readonly sync: string; readonly installed: string },
): Installation {
  return {
    commands: [`python -m venv ${ENVIRONMENT}`, `${PIP} ${tool}`, sync],
    source: `${tool}.lock`,
    installed,
    prefix: `PATH=${ENVIRONMENT}/bin:$PATH `,
    addTool: `${ENVIRONMENT}/bin/${PIP}`,
    env: { VIRTUAL_ENV: ENVIRONMENT },
  };
}

function wantedOf(facts: RepositoryFacts) {
  const project = facts.readToml("pyproject.toml");
  return {
    project,
    extras: wantedNames(Object.keys(Object(valueIn(project, "project", "optional-dependencies")))),
    groups: wantedNames(Object.keys(dependencyGroupsOf(facts))),
  };
}

/** A lockfile names what is not installed too: the groups of others. */
function installedText(facts: RepositoryFacts, own: unknown): string {
  const { project, extras } = wantedOf(facts);
  const groups = dependencyGroupsOf(facts);
  const known = extrasOf(facts);
  return JSON.stringify([
    valueIn(project, "project", "dependencies"),
    extras.map((name) => known[name]),
    wantedNames(Object.keys(groups)).map((name) => groups[name]),
    own,
  ]);
}

function installWithPip(facts: RepositoryFacts): Installation | undefined {
  const files = requirementsFiles(facts.names);
  const tox = toxDependencies(facts, files);
  const groups = dependencyGroupsOf(facts);
  const grouped = wantedNames(Object.keys(groups)).flatMap((name) => groups[name] ?? []);
  const known = extrasOf(facts);
  const extras = [...new Set([...wantedNames(Object.keys(known)), ...tox.extras])];
  const described = describePackage(facts);
  const steps = [
    ...files.map((name) => ({ arguments: [`-r ${quoteWord(name)}`], source: name })),
    { ...described, arguments: described.isPackage ? [`-e ${target(extras)}`] : described.requirements.map(quoteWord) },
    { arguments: [...new Set(grouped)].map(quoteWord), source: "pyproject.toml dependency-groups" },
    { arguments: tox.requirements, source: "tox.ini testenv" },
  ].filter((step) => step.arguments.length > 0);
  if (steps.length === 0) return undefined;
  return {
    commands: steps.map((step) => `${PIP} ${step.arguments.join(" ")}`),
    source: steps.map(({ source }) => source).join(", "),
    installed: [
      ...files.map((name) => facts.read(name) ?? ""),
      JSON.stringify(valueIn(facts.readToml("pyproject.toml"), "project", "dependencies") ?? []),
      described.requirements.join("\n"),
      ...extras.map((name) => known[name] ?? ""),
      ...grouped,
      ...tox.requirements,
    ].join("\n"),
    prefix: "",
    addTool: PIP,
    env: {},
  };
}

function target(extras: readonly string[]): string {
  return extras.length === 0 ? "." : `'.[${extras.join(",")}]'`;
}

/** Whether pip can install what is at the top, which a setup.cfg alone does not make possible, and what setup.cfg requires. */
function describePackage(facts: RepositoryFacts): {
  readonly isPackage: boolean;
  readonly requirements: readonly string[];
  readonly source: string;
} {
  const project = facts.readToml("pyproject.toml");
  const cfg = facts.read("setup.cfg");
  const isInCfg = ["metadata", "options"].some((section) => hasIniSection(cfg, section));
  const isPackage =
    facts.names.includes("setup.py") ||
    valueIn(project, "project") !== undefined ||
    valueIn(project, "build-system") !== undefined ||
    (project !== undefined && isInCfg);
  const requirements = (iniValue(cfg ?? "", "options", "install_requires") ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const files = isPackage ? ["pyproject.toml", "setup.py"] : ["setup.cfg"];
  return { isPackage, requirements, source: files.find((name) => facts.names.includes(name)) ?? "setup.cfg" };
}
