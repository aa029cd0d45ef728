import { detectPythonVersion } from "./detect-python-version.ts";
import type { Detection, Finding, RepositoryFacts } from "./detection.ts";
import { hasIniSection } from "./ini-value.ts";
import { valueIn } from "./toml-value.ts";

const MARKERS = ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "uv.lock", "poetry.lock", "pdm.lock"];
const PIP = "python -m pip install";
/** Where uv keeps what it installs: not in the workspace, which is mounted over when the gates run. */
const UV_ENVIRONMENT = "/opt/venv";

/** How a repository is installed, and what is in it afterwards. */
interface Installation {
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

/** What a Python repository's files say; undefined for a repository that is none. */
export function detectPython(facts: RepositoryFacts): Detection | undefined {
  if (!MARKERS.some((name) => facts.names.includes(name))) return undefined;
  const installation = detectInstallation(facts);
  const version = detectPythonVersion(facts);
  const test = findTest(facts);
  const lint = findLint(facts);
  const typecheck = findTypecheck(facts);
  const tools = [test, lint, typecheck].flatMap((found) => (found === undefined ? [] : [found.value.tool]));
  const lacking = tools.filter((tool) => !mentions(installation?.installed ?? "", tool));
  const add = installation?.addTool ?? PIP;
  const gate = (found: Finding<Tool> | undefined) =>
    found === undefined
      ? undefined
      : { value: `${installation?.prefix ?? ""}${found.value.command}`, source: found.source };
  return {
    language: "python",
    ...(version === undefined ? {} : { pythonVersion: version }),
    install:
      installation === undefined && lacking.length === 0
        ? undefined
        : {
            value: [...(installation?.commands ?? []), ...lacking.map((tool) => `${add} ${tool}`)],
            source: installation?.source ?? "tools of the gates",
          },
    test: gate(test),
    lint: gate(lint),
    typecheck: gate(typecheck),
    env: installation?.env ?? {},
  };
}

function detectInstallation(facts: RepositoryFacts): Installation | undefined {
  const plain = { prefix: "", addTool: PIP, env: {} };
  const lock = (name: string) => facts.read(name);
  const uv = lock("uv.lock");
  if (uv !== undefined) {
    return {
      commands: [`${PIP} uv`, "uv sync --frozen"],
      source: "uv.lock",
      installed: uv,
      prefix: "uv run --no-sync ",
      addTool: `uv pip install --python ${UV_ENVIRONMENT}`,
      env: { UV_PROJECT_ENVIRONMENT: UV_ENVIRONMENT },
    };
  }
  const poetry = lock("poetry.lock");
  if (poetry !== undefined) {
    const commands = [`${PIP} poetry`, "poetry install --no-interaction"];
    return {
      ...plain,
      commands,
      source: "poetry.lock",
      installed: poetry,
      env: { POETRY_VIRTUALENVS_CREATE: "false" },
    };
  }
  const pdm = lock("pdm.lock");
  if (pdm !== undefined) {
    const commands = [`${PIP} pdm`, "pdm sync --global --project ."];
    return { ...plain, commands, source: "pdm.lock", installed: pdm };
  }
  return detectPipInstallation(facts);
}

function detectPipInstallation(facts: RepositoryFacts): Installation | undefined {
  const requirements = facts.names.filter((name) => /^(?:.*[-_])?requirements(?:[-_.].*)?\.txt$/.test(name));
  // The plain file first: the others may refine what is in it.
  const ordered = requirements.toSorted((left, right) =>
    left === right ? 0 : left === "requirements.txt" ? -1 : right === "requirements.txt" ? 1 : left < right ? -1 : 1,
  );
  const project = facts.readToml("pyproject.toml");
  const isPackage =
    facts.names.includes("setup.py") ||
    facts.names.includes("setup.cfg") ||
    valueIn(project, "project") !== undefined ||
    valueIn(project, "build-system") !== undefined;
  const extra = ["test", "tests", "testing", "dev"].find(
    (name) => valueIn(project, "project", "optional-dependencies", name) !== undefined,
  );
  const target = extra === undefined ? "." : `'.[${extra}]'`;
  const commands = [
    ...ordered.map((name) => `${PIP} -r ${quoteName(name)}`),
    ...(isPackage ? [`${PIP} -e ${target}`] : []),
  ];
  if (commands.length === 0) return undefined;
  const dependencies = [
    valueIn(project, "project", "dependencies"),
    extra === undefined ? undefined : valueIn(project, "project", "optional-dependencies", extra),
  ];
  const sources = [...ordered, ...(isPackage ? [packageSource(facts)] : [])];
  return {
    commands,
    source: sources.join(", "),
    installed: [...ordered.map((name) => facts.read(name) ?? ""), JSON.stringify(dependencies)].join("\n"),
    prefix: "",
    addTool: PIP,
    env: {},
  };
}

function packageSource({ names }: RepositoryFacts): string {
  return ["pyproject.toml", "setup.py", "setup.cfg"].find((name) => names.includes(name)) ?? "pyproject.toml";
}

interface Tool {
  readonly tool: string;
  readonly command: string;
}

function findTest(facts: RepositoryFacts): Finding<Tool> | undefined {
  const pytest = { tool: "pytest", command: "python -m pytest" };
  const project = facts.readToml("pyproject.toml");
  if (facts.names.includes("pytest.ini")) return { value: pytest, source: "pytest.ini" };
  if (valueIn(project, "tool", "pytest") !== undefined) return { value: pytest, source: "pyproject.toml tool.pytest" };
  if (hasIniSection(facts.read("setup.cfg"), "tool:pytest")) return { value: pytest, source: "setup.cfg tool:pytest" };
  if (hasIniSection(facts.read("tox.ini"), "pytest")) return { value: pytest, source: "tox.ini pytest" };
  const sign = facts.names.find((name) => /^(?:tests?|conftest\.py|test_.*\.py)$/.test(name));
  return sign === undefined ? undefined : { value: pytest, source: sign };
}

function findLint(facts: RepositoryFacts): Finding<Tool> | undefined {
  const ruff = { tool: "ruff", command: "python -m ruff check ." };
  const flake8 = { tool: "flake8", command: "python -m flake8" };
  const ruffFile = facts.names.find((name) => name === "ruff.toml" || name === ".ruff.toml");
  if (ruffFile !== undefined) return { value: ruff, source: ruffFile };
  const project = facts.readToml("pyproject.toml");
  if (valueIn(project, "tool", "ruff") !== undefined) return { value: ruff, source: "pyproject.toml tool.ruff" };
  if (facts.names.includes(".flake8")) return { value: flake8, source: ".flake8" };
  const file = ["setup.cfg", "tox.ini"].find((name) => hasIniSection(facts.read(name), "flake8"));
  return file === undefined ? undefined : { value: flake8, source: `${file} flake8` };
}

function findTypecheck(facts: RepositoryFacts): Finding<Tool> | undefined {
  const mypy = { tool: "mypy", command: "python -m mypy ." };
  const pyright = { tool: "pyright", command: "pyright" };
  const project = facts.readToml("pyproject.toml");
  const mypyFile = facts.names.find((name) => name === "mypy.ini" || name === ".mypy.ini");
  if (mypyFile !== undefined) return { value: mypy, source: mypyFile };
  if (valueIn(project, "tool", "mypy") !== undefined) return { value: mypy, source: "pyproject.toml tool.mypy" };
  if (hasIniSection(facts.read("setup.cfg"), "mypy")) return { value: mypy, source: "setup.cfg mypy" };
  if (facts.names.includes("pyrightconfig.json")) return { value: pyright, source: "pyrightconfig.json" };
  if (valueIn(project, "tool", "pyright") !== undefined)
    return { value: pyright, source: "pyproject.toml tool.pyright" };
  return undefined;
}

function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w-])${name}(?![\\w-])`, "i").test(text);
}

function quoteName(name: string): string {
  return /^[\w.-]+$/.test(name) && !name.startsWith("-") ? name : `'./${name.replaceAll("'", "'\\''")}'`;
}
