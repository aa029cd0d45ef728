import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseRepoProfile } from "../../src/profile/repo-profile.ts";
import { detectRepositoryProfile } from "../../src/workflows/detect-profile.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-detect-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Tree = Readonly<Record<string, string>>;

function detectIn(folder: string) {
  const request = { repo_dir: folder, explicit_python_version: null, overrides: null };
  const found = detectRepositoryProfile(request, { workingDirectory: root });
  expect(found.profile_runtime.repo_dir_abs).toBe(realpathSync(folder));
  // What is detected is what `profile build` reads, under the same id.
  const read = parseRepoProfile(JSON.stringify(found), "detected");
  expect(read.computedId).toBe(found.profile_id);
  return read.profile;
}

function detect(tree: Tree) {
  const folder = mkdtempSync(join(root, "tree-"));
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return detectIn(folder);
}

/** A library as it looks with uv: groups beside extras, of which some are there by default. */
const UV: Tree = {
  "uv.lock": 'version = 1\n[[package]]\nname = "black"\nversion = "1"\n',
  "pyproject.toml": `[project]
name = "lib"
requires-python = ">=3.9"
dependencies = ["click>=8.1.3", "importlib-metadata>=3.6.0; python_version < '3.10'"]
[project.optional-dependencies]
async = ["asgiref>=3.2"]
[dependency-groups]
dev = ["ruff", "tox-uv"]
docs = ["sphinx"]
tests = ["pytest", "greenlet ; python_version < '3.11'"]
typing = ["mypy", {include-group = "tests"}]
[tool.uv]
default-groups = ["dev", "tests"]
[tool.pytest.ini_options]
testpaths = ["tests"]
[tool.mypy]
files = ["src", "tests/type_check"]
[tool.ruff]
src = ["src"]
[tool.tox.env_run_base]
commands = [[
    "pytest", "--basetemp={env_tmp_dir}",
    {replace = "posargs", default = [], extend = true},
]]
`,
  "src/lib/__init__.py": "",
  "tests/test_lib.py": "",
  Makefile: "",
};

const POETRY: Tree = {
  "poetry.lock": "# generated\n",
  "pyproject.toml": `[tool.poetry]
name = "app"
[tool.poetry.dependencies]
python = "^3.10"
requests = { version = "^2.18", extras = ["socks"] }
[tool.poetry.group.test.dependencies]
pytest = "^8"
[tool.poetry.group.lint]
optional = true
[tool.poetry.group.lint.dependencies]
ruff = "*"
[tool.ruff]
[build-system]
requires = ["poetry-core"]
`,
  "tests/test_app.py": "",
};

const PDM: Tree = {
  "pdm.lock": "[metadata]\n",
  "pyproject.toml": `[project]
requires-python = ">=3.8"
dependencies = ["blinker"]
[tool.pdm]
version = {use_scm = true}
[tool.pdm.dev-dependencies]
test = ["pytest", "pytest-xdist>=1.31.0"]
[[tool.towncrier.type]]
  directory = "feature"
[tool.pytest.ini_options]
addopts = "-ra"
`,
  "tests/conftest.py": "",
};

/** As many older packages are: setup.py, with what the tests need in tox.ini. */
const TOX: Tree = {
  "setup.py": "from setuptools import setup\nsetup(python_requires='>=3.7, <4')\n",
  "setup.cfg": `[metadata]
name = pkg
[options]
install_requires =
    six
[options.extras_require]
test =
    pytest
    hypothesis
[flake8]
max-line-length = 100
`,
  "tox.ini": `[tox]
envlist = py{37,38},lint
[testenv]
extras = test
deps =
    -r{toxinidir}/test_requirements.txt
    cov: coverage
commands = pytest {posargs}
[testenv:lint]
deps = flake8
`,
  "test_requirements.txt": "pytest-cov\n",
  "tests/test_pkg.py": "",
};

const REQUIREMENTS: Tree = {
  "requirements.txt": "django==4.2\npsycopg2\n",
  "requirements-dev.txt": "-r requirements.txt\npytest-django\n",
  "requirements-docs.txt": "sphinx\n",
  ".python-version": "3.11.4\n",
  "pytest.ini": "[pytest]\n",
  "manage.py": "",
};

const packageJson = (members: object) =>
  JSON.stringify({ scripts: { test: "vitest run", lint: "eslint .", typecheck: "tsc --noEmit" }, ...members });

const TREES: readonly (readonly [name: string, tree: Tree, wanted: object, sources: object])[] = [
  [
    "uv",
    UV,
    {
      status: "supported",
      python_version_target: ">=3.9",
      install_cmds: ["python -m pip install uv", "uv sync --frozen --group typing"],
      gates: {
        test: { cmd: "uv run --no-sync python -m pytest" },
        lint: { cmd: "uv run --no-sync python -m ruff check ." },
        typecheck: { cmd: "uv run --no-sync python -m mypy" },
      },
      detected_tools: ["make"],
    },
    {
      python_version: "pyproject.toml project.requires-python",
      install: "uv.lock",
      tests: "pyproject.toml tool.pytest",
      lint: "pyproject.toml tool.ruff",
      typecheck: "pyproject.toml tool.mypy",
    },
  ],
  [
    "poetry",
    POETRY,
    {
      status: "supported",
      python_version_target: "^3.10",
      install_cmds: [
        "python -m venv /opt/venv",
        "python -m pip install poetry",
        "poetry install --no-interaction --with lint",
      ],
    },
    {
      python_version: "pyproject.toml tool.poetry.dependencies.python",
      install: "poetry.lock",
      tests: "tests",
      lint: "pyproject.toml tool.ruff",
      typecheck: "default",
    },
  ],
  [
    "pdm",
    PDM,
    {
      status: "supported",
      install_cmds: ["python -m venv /opt/venv", "python -m pip install pdm", "pdm sync"],
      gates: { lint: null, typecheck: null },
    },
    {
      python_version: "pyproject.toml project.requires-python",
      install: "pdm.lock",
      tests: "pyproject.toml tool.pytest",
      lint: "default",
      typecheck: "default",
    },
  ],
  [
    "setup.py, setup.cfg and tox",
    TOX,
    {
      status: "supported",
      python_version_target: ">=3.7, <4",
      install_cmds: [
        "python -m pip install -r test_requirements.txt",
        "python -m pip install -e '.[test]'",
        "python -m pip install flake8",
      ],
      detected_tools: ["tox"],
    },
    {
      python_version: "setup.py python_requires",
      install: "test_requirements.txt, setup.py",
      tests: "tests",
      lint: "setup.cfg flake8",
      typecheck: "default",
    },
  ],
  [
    "requirements files",
    REQUIREMENTS,
    {
      status: "supported",
      python_version_target: "3.11.4",
      install_cmds: [
        "python -m pip install -r requirements.txt",
        "python -m pip install -r requirements-dev.txt",
        "python -m pip install pytest",
      ],
    },
    {
      python_version: ".python-version",
      install: "requirements.txt, requirements-dev.txt",
      tests: "pytest.ini",
      lint: "default",
      typecheck: "default",
    },
  ],
  [
    "npm",
    {
      "package.json": packageJson({ engines: { node: "^18.0.0 || >=22" } }),
      "package-lock.json": '{"lockfileVersion":3}',
      ".nvmrc": "v20.11\n",
    },
    {
      language: "node",
      base_image: "node:20-slim",
      install_cmds: ["npm ci"],
      gates: { test: { cmd: "npm run test" } },
    },
    {
      base_image: ".nvmrc",
      install: "package-lock.json",
      tests: "package.json scripts.test",
      lint: "package.json scripts.lint",
      typecheck: "package.json scripts.typecheck",
    },
  ],
  [
    "pnpm",
    {
      "package.json": packageJson({ engines: { node: "^18.0.0 || >=22" }, packageManager: "pnpm@10.4.1+sha512.c753" }),
      "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    },
    {
      base_image: "node:18-slim",
      install_cmds: ["npm install --global pnpm@10.4.1", "pnpm install --frozen-lockfile"],
      gates: { lint: { cmd: "pnpm run lint" } },
    },
    {
      base_image: "package.json engines.node",
      install: "pnpm-lock.yaml",
      tests: "package.json scripts.test",
      lint: "package.json scripts.lint",
      typecheck: "package.json scripts.typecheck",
    },
  ],
  [
    "yarn",
    {
      "package.json": packageJson({ scripts: { test: "jest" }, devDependencies: { typescript: "5" } }),
      "yarn.lock": "# yarn lockfile v1\n\n",
      "tsconfig.json": "{}",
    },
    {
      base_image: "node:lts-slim",
      install_cmds: ["command -v yarn || npm install --global yarn@1", "yarn install --frozen-lockfile"],
      gates: { test: { cmd: "yarn run test" }, lint: null, typecheck: { cmd: "npx --no-install tsc --noEmit" } },
    },
    {
      base_image: "default",
      install: "yarn.lock",
      tests: "package.json scripts.test",
      lint: "default",
      typecheck: "tsconfig.json",
    },
  ],
  [
    "Go",
    {
      "go.mod": "module example.com/m\n\ngo 1.22\n\ntoolchain go1.22.4\n\nrequire x v1\n",
      "go.sum": "",
      "m_test.go": "",
    },
    { language: "go", base_image: "golang:1.22-bookworm", install_cmds: ["go mod download"] },
    { base_image: "go.mod go", install: "go.mod", tests: "go.mod", lint: "go.mod", typecheck: "go.mod" },
  ],
  [
    "a Rust workspace",
    {
      "Cargo.toml": `[package]
version = "14.1.0"  #:version
rust-version = "1.72"
[workspace]
members = ["crates/a"]
[target.'cfg(target_os = "windows")'.dependencies]
windows-sys = { version = "0.52", features = ["a"] }
`,
      "Cargo.lock": "",
    },
    {
      language: "rust",
      base_image: "rust:1.72-slim",
      install_cmds: ["rustup component add clippy", "cargo fetch --locked"],
      gates: { test: { cmd: "cargo test --locked --workspace" } },
    },
    {
      base_image: "Cargo.toml package.rust-version",
      install: "Cargo.lock",
      tests: "Cargo.toml",
      lint: "Cargo.toml",
      typecheck: "Cargo.toml",
    },
  ],
];

test.each(TREES)(
  "a repository with %s is told how to be installed, and every decision says where it is from",
  (_name, tree, wanted, sources) => {
    const profile = detect(tree);
    expect(profile).toMatchObject(wanted);
    const { language, ...decisions } = profile.decisions;
    expect(Object.keys(tree)).toContain(language?.source ?? "");
    const found = Object.fromEntries(Object.entries(decisions).map(([name, decision]) => [name, decision?.source]));
    expect(found).toEqual({ ...sources });
    for (const [name, gate] of Object.entries(profile.gates)) {
      const decision =
        name === "test" ? profile.decisions.tests : name === "lint" ? decisions.lint : decisions.typecheck;
      expect(decision?.value ?? null).toEqual(gate?.cmd ?? null);
    }
  },
);

test("a file of a name that is looked for, but is a folder or a link that leads nowhere, is as none", () => {
  const folder = mkdtempSync(join(root, "tree-"));
  mkdirSync(join(folder, "package.json"));
  symlinkSync("/nowhere/go.mod", join(folder, "go.mod"));
  expect(detectIn(folder).status).toBe("unsupported");
});

test("the same tree has the same id in another place", () => {
  expect(detect(UV)).toEqual(detect(Object.fromEntries(Object.entries(UV).reverse())));
});
