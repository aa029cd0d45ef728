import { expect, test } from "bun:test";
import { detectProfile } from "../../src/profile/detect-profile.ts";
import { parseRepoProfile } from "../../src/profile/repo-profile.ts";

function detect(files: Readonly<Record<string, string>>, pythonVersion?: string) {
  const names = [...new Set(Object.keys(files).map((path) => path.split("/")[0] ?? ""))].sort();
  const read = (name: string) => files[name];
  const readToml = (name: string): unknown => (files[name] === undefined ? undefined : Bun.TOML.parse(files[name]));
  const profile = detectProfile({ names, read, readToml, pythonVersion });
  // What is detected is what `profile build` reads.
  return parseRepoProfile(JSON.stringify(profile), "detected").profile;
}

const PIP = "python -m pip install";

test("a package with optional test dependencies is installed in place with them", () => {
  const profile = detect({
    "pyproject.toml": `[project]
name = "p"
requires-python = ">=3.10,<4"
dependencies = ["requests"]
[project.optional-dependencies]
test = ["pytest>=8"]
[tool.ruff]
line-length = 100
[tool.pytest.ini_options]
`,
    "tests/test_a.py": "",
    Makefile: "",
    "tox.ini": "",
  });
  expect(profile).toMatchObject({
    status: "supported",
    missing: ["typecheck"],
    tests_root: "tests",
    python_version_target: ">=3.10,<4",
    install_cmds: [`${PIP} -e '.[test]'`, `${PIP} ruff`],
    allow_editable_install: true,
    gates: {
      test: { cmd: "python -m pytest", timeout_sec: 1200 },
      lint: { cmd: "python -m ruff check .", timeout_sec: 600 },
      typecheck: null,
    },
    detected_tools: ["make", "tox"],
  });
  expect(profile.decisions.python_version).toEqual({
    value: ">=3.10,<4",
    source: "pyproject.toml project.requires-python",
  });
  expect(profile.decisions.typecheck?.source).toBe("default");
});

test("the tool that a lockfile wants is installed before it is called", () => {
  const lock = 'name = "pytest"\n';
  expect(detect({ "uv.lock": lock, "poetry.lock": lock, "pyproject.toml": "", tests: "" })).toMatchObject({
    install_cmds: [`${PIP} uv`, "uv sync --frozen"],
    env: { UV_PROJECT_ENVIRONMENT: "/opt/venv" },
    gates: { test: { cmd: "uv run --no-sync python -m pytest" } },
  });
  expect(detect({ "poetry.lock": lock, tests: "" })).toMatchObject({
    install_cmds: [`${PIP} poetry`, "poetry install --no-interaction"],
    env: { POETRY_VIRTUALENVS_CREATE: "false" },
  });
  expect(detect({ "pdm.lock": "", tests: "" }).install_cmds).toEqual([
    `${PIP} pdm`,
    "pdm sync --global --project .",
    `${PIP} pytest`,
  ]);
});

test("requirements are installed, the plain file first, and then what the gates need beside them", () => {
  const profile = detect({
    "requirements.txt": "flask\n",
    "dev-requirements.txt": "pytest-cov\n",
    "requirements-dev.txt": "mypy\n",
    "mypy.ini": "",
    "setup.py": "setup(python_requires='>=3.7')",
    "conftest.py": "",
  });
  expect(profile.install_cmds).toEqual([
    `${PIP} -r requirements.txt`,
    `${PIP} -r dev-requirements.txt`,
    `${PIP} -r requirements-dev.txt`,
    `${PIP} -e .`,
    `${PIP} pytest`,
  ]);
  expect(profile.decisions.install?.source).toBe(
    "requirements.txt, dev-requirements.txt, requirements-dev.txt, setup.py",
  );
});

test("the strongest file that names a Python counts", () => {
  const files = {
    ".python-version": "# pinned\n3.12.1\n",
    "pyproject.toml": '[project]\nrequires-python = ">=3.9"\n[tool.poetry.dependencies]\npython = "^3.8"\n',
    "setup.cfg": "[options]\npython_requires =\n    >=3.7\n",
    "setup.py": 'setup(python_requires=">=3.6")',
    "tox.ini": "[tox]\nenvlist = lint, py{35,36}\n",
  };
  const found: unknown[] = [detect(files, "3.13").python_version_target];
  const left: Record<string, string> = { ...files };
  for (const name of [".python-version", "pyproject.toml", "setup.cfg", "setup.py"]) {
    found.push(detect(left).python_version_target);
    delete left[name];
  }
  found.push(detect({ ...left, "requirements.txt": "" }).python_version_target);
  expect(found).toEqual(["3.13", "3.12.1", ">=3.9", ">=3.7", ">=3.6", "3.5"]);
});

test("an interpreter that is not CPython is no version", () => {
  expect(detect({ ".python-version": "pypy3.9\n", "requirements.txt": "" }).python_version_target).toBeNull();
});

test.each([
  ["package-lock.json", "", undefined, ["npm ci"]],
  [
    "pnpm-lock.yaml",
    "",
    "pnpm@9.1.0+sha256.abc",
    ["npm install --global pnpm@9.1.0", "pnpm install --frozen-lockfile"],
  ],
  ["yarn.lock", "# v1\n", undefined, ["yarn install --frozen-lockfile"]],
  [
    "yarn.lock",
    "__metadata:\n  version: 8\n",
    undefined,
    ["npm install --global --force corepack", "corepack enable", "yarn install --immutable"],
  ],
  ["bun.lock", "", undefined, ["npm install --global bun", "bun install --frozen-lockfile"]],
])("a Node project with %s is installed by its package manager", (lockfile, text, packageManager, commands) => {
  const manifest = { scripts: { test: "node --test", lint: "eslint ." }, engines: { node: ">=20" }, packageManager };
  const profile = detect({ "package.json": JSON.stringify(manifest), [lockfile]: text });
  expect(profile).toMatchObject({ language: "node", status: "supported", base_image: "node:20-slim" });
  expect(profile.install_cmds).toEqual(commands);
  expect(profile.gates.lint?.cmd).toMatch(/^(?:npm|pnpm|yarn|bun) run lint$/);
  expect(profile.decisions.base_image?.source).toBe("package.json engines.node");
});

test("npm's script for having no test is no test", () => {
  const scripts = { test: 'echo "Error: no test specified" && exit 1' };
  expect(detect({ "package.json": JSON.stringify({ scripts }) })).toMatchObject({
    status: "partial",
    gates: { test: null },
  });
});

test("Go and Rust have their own bases and commands", () => {
  expect(detect({ "go.mod": "module x\n\ngo 1.22.3\n" })).toMatchObject({
    language: "go",
    base_image: "golang:1.22-bookworm",
    install_cmds: ["go mod download"],
    gates: { test: { cmd: "go test ./..." } },
  });
  expect(detect({ "Cargo.toml": '[package]\nrust-version = "1.75"\n', "Cargo.lock": "" })).toMatchObject({
    language: "rust",
    base_image: "rust:1.75-slim",
    install_cmds: ["rustup component add clippy", "cargo fetch --locked"],
    gates: { test: { cmd: "cargo test --locked" } },
  });
});

test("a repository without any sign is unsupported, and says what was looked for", () => {
  expect(detect({ "README.md": "" })).toMatchObject({ status: "unsupported", install_cmds: [] });
  expect(detect({}).reason).toContain("go.mod");
});
