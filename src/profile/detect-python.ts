import { detectInstallation, PIP } from "./detect-python-install.ts";
import { detectPythonVersion } from "./detect-python-version.ts";
import type { Detection, Finding, RepositoryFacts } from "./detection.ts";
import { hasIniSection, iniValue } from "./ini-value.ts";
import { requirementsFiles } from "./python-dependencies.ts";
import { valueIn } from "./toml-value.ts";

const MARKERS = ["pyproject.toml", "setup.py", "setup.cfg", "uv.lock", "poetry.lock", "pdm.lock", "tox.ini"];

/** What a Python repository's files say; undefined for a repository that is none. */
export function detectPython(facts: RepositoryFacts): Detection | undefined {
  const marker = [...MARKERS, ...requirementsFiles(facts.names)].find((name) => facts.names.includes(name));
  if (marker === undefined) return undefined;
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
    language: { value: "python", source: marker },
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
  const mypy = { tool: "mypy", command: mypyKnowsItsFiles(facts) ? "python -m mypy" : "python -m mypy ." };
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

function mypyKnowsItsFiles(facts: RepositoryFacts): boolean {
  const table = valueIn(facts.readToml("pyproject.toml"), "tool", "mypy");
  return ["files", "packages", "modules"].some(
    (key) =>
      valueIn(table, key) !== undefined ||
      ["mypy.ini", ".mypy.ini", "setup.cfg"].some(
        (name) => iniValue(facts.read(name) ?? "", "mypy", key) !== undefined,
      ),
  );
}

function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w-])${name}(?![\\w-])`, "i").test(text);
}
