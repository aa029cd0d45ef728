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
  const pyproject = '[project]\ndependencies = ["pytest"]\n';
  expect(detect({ "uv.lock": "", "poetry.lock": "", "pyproject.toml": pyproject, tests: "" })).toMatchObject({
    install_cmds: [`${PIP} uv`, "uv sync --frozen"],
    env: { UV_PROJECT_ENVIRONMENT: "/opt/venv" },
    gates: { test: { cmd: "uv run --no-sync python -m pytest" } },
  });
  expect(detect({ "poetry.lock": "", "pyproject.toml": pyproject, tests: "" })).toMatchObject({
    install_cmds: ["python -m venv /opt/venv", `${PIP} poetry`, "poetry install --no-interaction"],
    env: { VIRTUAL_ENV: "/opt/venv" },
    gates: { test: { cmd: "PATH=/opt/venv/bin:$PATH python -m pytest" } },
  });
  expect(detect({ "pdm.lock": "", tests: "" }).install_cmds).toEqual([
    "python -m venv /opt/venv",
    `${PIP} pdm`,
    "pdm sync",
    `/opt/venv/bin/${PIP} pytest`,
  ]);
});

test("what a lockfile's tool leaves out unless it is asked for is asked for", () => {
  const pyproject = `[project.optional-dependencies]
test = ["pytest"]
docs = ["sphinx"]
[dependency-groups]
dev = ["ipython"]
lint = ["ruff"]
[tool.ruff]
`;
  const installs = (lock: string, text: string) =>
    detect({ [lock]: "", "pyproject.toml": text, tests: "" }).install_cmds.slice(1);
  expect(installs("uv.lock", pyproject)).toEqual(["uv sync --frozen --extra test --group lint"]);
  expect(installs("uv.lock", `${pyproject}[tool.uv]\ndefault-groups = "all"\n[tool.uv.workspace]\n`)).toEqual([
    "uv sync --frozen --all-packages --extra test",
  ]);
  expect(installs("pdm.lock", pyproject)).toEqual([`${PIP} pdm`, "pdm sync --group test"]);
  const poetry = `[tool.poetry.extras]
tests = ["x"]
[tool.poetry.group.dev.dependencies]
pytest = "*"
[tool.poetry.group.typing]
optional = true
[tool.poetry.group.typing.dependencies]
mypy = "*"
[tool.mypy]
`;
  expect(installs("poetry.lock", poetry)).toEqual([
    `${PIP} poetry`,
    "poetry install --no-interaction --extras tests --with typing",
  ]);
});

test("dependency groups are installed with what they include, as requirements that any pip knows", () => {
  const pyproject = `[project]
name = "p"
[dependency-groups]
base = ["pytest>=7", "base; python_version < '3'"]
dev = [{include-group = "base"}, "ruff", {include-group = "dev"}]
docs = ["sphinx"]
[tool.ruff]
`;
  const profile = detect({ "pyproject.toml": pyproject, tests: "" });
  expect(profile.install_cmds).toEqual([`${PIP} -e .`, `${PIP} 'pytest>=7' 'base; python_version < '\\''3'\\''' ruff`]);
  expect(profile.decisions.install?.source).toBe("pyproject.toml, pyproject.toml dependency-groups");
});

test("a setup.cfg that no build reads is not installed, but what it requires is", () => {
  const cfg =
    "[options]\ninstall_requires =\n    idna>=3\n    requests\n[options.extras_require]\ntest = pytest\n[flake8]\n";
  expect(detect({ "setup.cfg": cfg }).install_cmds).toEqual([`${PIP} 'idna>=3' requests`, `${PIP} flake8`]);
  expect(detect({ "setup.cfg": "[flake8]\n", "requirements.txt": "idna" }).install_cmds).toEqual([
    `${PIP} -r requirements.txt`,
    `${PIP} flake8`,
  ]);
  expect(detect({ "setup.cfg": cfg, "pyproject.toml": "[build-system]\n", tests: "" }).install_cmds).toEqual([
    `${PIP} -e '.[test]'`,
    `${PIP} flake8`,
  ]);
});

test("what tox installs for the tests is installed, but for what hangs on its own conditions", () => {
  const tox = `[tox]
envlist = py310
[testenv]
extras = socks
deps =
    pytest>=7  # the runner
    -rrequirements.txt
    -r {toxinidir}/ci/more.txt
    -rgone.txt
    py27: mock
    lint,py3: black
    {env:EXTRA}
    .[all]
    -e .
commands = pytest
`;
  const profile = detect({ "tox.ini": tox, "setup.py": "", "requirements.txt": "idna", "ci/more.txt": "", tests: "" });
  expect(profile.install_cmds).toEqual([
    `${PIP} -r requirements.txt`,
    `${PIP} -e '.[socks]'`,
    `${PIP} 'pytest>=7' -r ci/more.txt`,
  ]);
  const alone = detect({ "tox.ini": "[tox]\nenvlist = py310\n[testenv]\ndeps = pytest\n", "test_a.py": "" });
  expect(alone).toMatchObject({ status: "supported", python_version_target: "3.10", install_cmds: [`${PIP} pytest`] });
  expect(alone.decisions.install?.source).toBe("tox.ini testenv");
  expect(alone.decisions.language).toEqual({ value: "python", source: "tox.ini" });
});

test("requirements for other platforms and purposes are left out", () => {
  const names = ["requirements-windows.txt", "docs-requirements.txt", "requirements_gpu.txt", "requirements-test.txt"];
  const files = Object.fromEntries(names.map((name) => [name, "pytest"]));
  expect(detect(files).install_cmds).toEqual([`${PIP} -r requirements-test.txt`]);
});

test("mypy is told where to look only when its configuration does not say so", () => {
  const command = (files: Readonly<Record<string, string>>) => detect(files).gates.typecheck?.cmd;
  expect(command({ "pyproject.toml": "[tool.mypy]\nstrict = true\n" })).toBe("python -m mypy .");
  expect(command({ "pyproject.toml": '[tool.mypy]\npackages = ["x"]\n' })).toBe("python -m mypy");
  expect(command({ "mypy.ini": "[mypy]\nfiles = src\n", "setup.py": "" })).toBe("python -m mypy");
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
  [
    "yarn.lock",
    "# v1\n",
    undefined,
    ["command -v yarn || npm install --global yarn@1", "yarn install --frozen-lockfile"],
  ],
  [
    "yarn.lock",
    "# v1\n",
    "yarn@1.22.19",
    ["npm install --global --force yarn@1.22.19", "yarn install --frozen-lockfile"],
  ],
  [
    "yarn.lock",
    "__metadata:\n  version: 8\n",
    undefined,
    ["npm install --global --force corepack", "corepack enable", "yarn install --immutable"],
  ],
  ["bun.lock", "", undefined, ["npm install --global bun", "bun install --frozen-lockfile"]],
  [
    "pnpm-lock.yaml",
    "lockfileVersion: '6.0'\n",
    undefined,
    ["npm install --global pnpm@8", "pnpm install --frozen-lockfile"],
  ],
  [
    "pnpm-lock.yaml",
    "lockfileVersion: 9.0\n",
    "npm@9.0.0",
    ["npm install --global pnpm@10", "pnpm install --frozen-lockfile"],
  ],
])("a Node project with %s is installed by its package manager", (lockfile, text, packageManager, commands) => {
  const manifest = { scripts: { test: "node --test", lint: "eslint ." }, engines: { node: ">=20" }, packageManager };
  const profile = detect({ "package.json": JSON.stringify(manifest), [lockfile]: text });
  expect(profile).toMatchObject({ language: "node", status: "supported", base_image: "node:20-slim" });
  expect(profile.install_cmds).toEqual(commands);
  expect(profile.gates.lint?.cmd).toMatch(/^(?:npm|pnpm|yarn|bun) run lint$/);
  expect(profile.decisions.base_image?.source).toBe("package.json engines.node");
});

test("what yarn would keep in the workspace goes where the gates find it", () => {
  const env = (files: Readonly<Record<string, string>>) =>
    detect({ "package.json": "{}", "yarn.lock": "__metadata:\n", ...files }).env;
  const state = { YARN_INSTALL_STATE_PATH: "/opt/yarn/install-state.gz" };
  expect(env({})).toEqual({ YARN_NODE_LINKER: "node-modules", ...state });
  expect(env({ ".yarnrc.yml": "nodeLinker: pnpm\n" })).toEqual(state);
  expect(env({ ".pnp.cjs": "" })).toEqual({});
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
  expect(detect({ "go.mod": "module x\n\ngo 1.13\n" }).base_image).toBe("golang:1-bookworm");
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
