import type { Finding, RepositoryFacts } from "./detection.ts";
import { iniValue } from "./ini-value.ts";
import { textIn } from "./toml-value.ts";

/** Which Python a repository wants, as the first of its files says that does. */
export function detectPythonVersion(facts: RepositoryFacts): Finding<string> | undefined {
  const project = facts.readToml("pyproject.toml");
  const candidates: readonly (readonly [source: string, value: string | undefined])[] = [
    ["explicit", facts.pythonVersion],
    [".python-version", pinnedVersion(facts.read(".python-version"))],
    ["pyproject.toml project.requires-python", textIn(project, "project", "requires-python")],
    [
      "pyproject.toml tool.poetry.dependencies.python",
      textIn(project, "tool", "poetry", "dependencies", "python") ??
        textIn(project, "tool", "poetry", "dependencies", "python", "version"),
    ],
    ["pyproject.toml tool.pdm.python_requires", textIn(project, "tool", "pdm", "python_requires")],
    ["setup.cfg options.python_requires", iniValue(facts.read("setup.cfg") ?? "", "options", "python_requires")],
    ["setup.py python_requires", /\bpython_requires\s*=\s*(["'])(.*?)\1/.exec(facts.read("setup.py") ?? "")?.[2]],
    ["tox.ini envlist", toxVersion(facts.read("tox.ini") ?? "")],
  ];
  for (const [source, value] of candidates) {
    if (value !== undefined && /\d/.test(value)) return { value, source };
  }
  return undefined;
}

function pinnedVersion(text: string | undefined): string | undefined {
  const line = (text ?? "")
    .split(/\r?\n/)
    .map((one) => one.trim())
    .find((one) => one !== "" && !one.startsWith("#"));
  // Of pyenv's other interpreters there is no image.
  return line !== undefined && /^(?:cpython-|python-?)?\d/.test(line) ? line.replace(/^\D+/, "") : undefined;
}

/** `py311` is the first of the environments that tell a version. */
function toxVersion(text: string): string | undefined {
  const list = iniValue(text, "tox", "envlist") ?? iniValue(text, "tox", "env_list") ?? "";
  const minor = /\bpy\{?3\.?(\d{1,2})/.exec(list)?.[1];
  return minor === undefined ? undefined : `3.${minor}`;
}
