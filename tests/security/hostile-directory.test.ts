import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cooperCommand, runCooper } from "../engines/engines.ts";
import { writeFiles } from "../engines/workspace.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "cooper-hostile-")));
afterAll(() => rmSync(root, { recursive: true }));

const marker = join(root, "was-here");
const evil = `require("node:fs").appendFileSync(${JSON.stringify(marker)}, "x"); process.env.COOPER_DOCKER_PATH = "/from/preload";`;
const engine = `#!/bin/sh\necho engine >>${marker}\n`;

/** A folder as a cloned repository might bring it, in which everything that a runtime looks for tries to run code. */
function hostileFolder(): string {
  const folder = mkdtempSync(join(root, "clone-"));
  const dotenv = `COOPER_DOCKER_PATH=${folder}/engine\nBUN_OPTIONS=--preload=${folder}/evil.cjs\nPATH=${folder}/bin\nNODE_OPTIONS=--require=${folder}/evil.cjs\n`;
  writeFiles(folder, {
    "evil.cjs": evil,
    "bunfig.toml":
      'preload = ["./evil.cjs"]\nlogLevel = "debug"\n[run]\nshell = "system"\n[test]\npreload = ["./evil.cjs"]\n[define]\n"process.argv0" = "\'evil\'"\n',
    ".bunfig.toml": 'preload = ["./evil.cjs"]\n',
    ".env": dotenv,
    ".env.local": dotenv,
    ".env.production": dotenv,
    ".env.development": dotenv,
    "package.json": {
      json: {
        name: "evil",
        type: "commonjs",
        main: "evil.cjs",
        bun: { preload: ["./evil.cjs"] },
        imports: { "#x": "./evil.cjs" },
        workspaces: ["."],
      },
    },
    "tsconfig.json": {
      json: {
        compilerOptions: {
          baseUrl: ".",
          paths: { "*": ["./evil.cjs"], "node:*": ["./evil.cjs"] },
          jsxImportSource: "./evil.cjs",
          plugins: [{ name: "./evil.cjs" }],
        },
      },
    },
    "jsconfig.json": { json: { compilerOptions: { paths: { "*": ["./evil.cjs"] } } } },
    "node_modules/citty/index.js": evil,
    "node_modules/citty/package.json": { json: { name: "citty", main: "index.js" } },
    "node_modules/jsonc-parser/index.js": evil,
    "node_modules/valibot/index.js": evil,
    engine: { text: engine, mode: 0o755 },
    docker: { text: engine, mode: 0o755 },
    podman: { text: engine, mode: 0o755 },
    "docker-credential-evil": { text: engine, mode: 0o755 },
    "bin/docker": { text: engine, mode: 0o755 },
    "cooper.jsonc": { json: { docker_path: `${folder}/engine` } },
    "ocx.json": { json: { docker_path: `${folder}/engine` } },
    ".devcontainer/devcontainer.json": {
      json: { image: "debian:bookworm-slim", initializeCommand: `${folder}/engine`, features: { "./local": {} } },
    },
    ".devcontainer/local/devcontainer-feature.json": { json: { id: "local", version: "1.0.0" } },
    ".devcontainer/local/install.sh": engine,
  });
  return folder;
}

test("nothing of the current directory runs or changes what the executable does", async () => {
  const folder = hostileFolder();
  const home = mkdtempSync(join(root, "home-"));
  // No engine is on this PATH, so whichever one is found was smuggled in.
  const env = { COOPER_DOCKER_PATH: "", PATH: join(root, "empty"), HOME: home };
  for (const [words, exitCode, said] of [
    [["--version"], 0, /^\d+\.\d+\.\d+\n$/],
    [["--help"], 0, /USAGE cooper/],
    [["build", "--help"], 0, /--image-name/],
    [["completion", "bash"], 0, /cooper/],
    [["build"], 1, /No container engine was found: neither docker nor podman is on PATH\./],
    [["plan"], 1, /No container engine was found: neither docker nor podman is on PATH\./],
    [["build", "--workspace-folder", "."], 1, /No container engine was found/],
    [["no-such-command"], 1, /^$/],
  ] as const) {
    for (const cwd of [folder, join(folder, ".devcontainer")]) {
      const run = await runCooper(words, { cwd, env, home });
      const inside = cwd !== folder && (words[0] === "build" || words[0] === "plan") && words[1] !== "--help";
      expect({ words, exitCode: run.exitCode }).toEqual({ words, exitCode });
      if (inside) expect(run.stdout).toMatch(/not found/);
      else expect(run.stdout).toMatch(said);
      expect(run.stdout + run.stderr).not.toContain("/from/preload");
    }
  }
  expect(existsSync(marker)).toBe(false);
});

test("the folder would have run code in a runtime that reads such files, so the test above can fail", async () => {
  const folder = hostileFolder();
  writeFileSync(join(folder, "main.js"), "");
  // The runtime that the executable is made of, with its usual habits.
  const child = Bun.spawn([process.execPath, "main.js"], { cwd: folder, stdout: "ignore", stderr: "ignore" });
  await child.exited;
  expect(existsSync(marker)).toBe(true);
  rmSync(marker);
});

test("an engine is not taken from the current directory by an empty entry of PATH", async () => {
  const folder = hostileFolder();
  for (const path of ["", ":", "/nonexistent::", "."]) {
    const env = { COOPER_DOCKER_PATH: "", PATH: path };
    const { stdout } = await runCooper(["build", "--workspace-folder", folder], { cwd: folder, env });
    expect({ path, stdout }).toEqual({ path, stdout: expect.stringContaining("No container engine was found") });
  }
  expect(existsSync(marker)).toBe(false);
});

test("invoked as devcontainer it calls itself so, and does the same", async () => {
  const folder = mkdtempSync(join(root, "links-"));
  mkdirSync(join(folder, "bin"));
  const { command, env } = cooperCommand(["build", "--help"], { home: folder });
  const [binary = ""] = command;
  const link = join(folder, "bin", "devcontainer");
  symlinkSync(realpathSync(binary), link);
  const run = async (file: string, args: readonly string[], cwd = folder) => {
    const child = Bun.spawn([file, ...args], {
      cwd,
      env: { ...env, PATH: join(folder, "bin") },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { stdout, stderr, exitCode };
  };
  expect((await run(link, ["build", "--help"])).stdout).toContain("USAGE devcontainer build");
  expect((await run("devcontainer", ["--help"])).stdout).toContain("USAGE devcontainer");
  expect((await run("./bin/devcontainer", ["--version"])).stdout).toBe((await run(binary, ["--version"])).stdout);
  const [asLink, asItself] = await Promise.all([link, binary].map((file) => run(file, ["build"])));
  expect(asLink).toEqual(asItself ?? asLink);
  expect(asLink?.stdout).toContain('"outcome":"error"');
});
