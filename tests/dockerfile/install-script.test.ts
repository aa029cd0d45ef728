import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  INSTALL_SCRIPT,
  OPTIONS_FILE,
  renderInstallScript,
  renderOptionsFile,
} from "../../src/dockerfile/install-script.ts";
import type { FeatureStep } from "../../src/plan/build-plan.ts";

const FEATURE: FeatureStep = {
  kind: "feature",
  folder: "hello_0",
  reference: "ghcr.io/acme/features/hello:1",
  digest: `sha256:${"0".repeat(64)}`,
  id: "hello",
  name: "Hello",
  description: "Says hello",
  version: "1.2.3",
  documentationUrl: "https://example.com/hello",
  warnings: [],
  options: [["GREETING", "hi"]],
  containerEnv: {},
};
const USERS = { image: "root", container: "root", remote: "root" };

/** Runs a Feature's wrapper with a real sh in a folder of its own, with `install` as its install.sh. */
function installWith(step: FeatureStep, install: string) {
  const folder = mkdtempSync(join(tmpdir(), "cooper-install-"));
  try {
    writeFileSync(join(folder, OPTIONS_FILE), renderOptionsFile(step));
    writeFileSync(join(folder, INSTALL_SCRIPT), renderInstallScript(step, USERS));
    writeFileSync(join(folder, "install.sh"), `#!/bin/sh\n${install}\n`);
    chmodSync(join(folder, INSTALL_SCRIPT), 0o755);
    const { exitCode, stdout } = Bun.spawnSync([`./${INSTALL_SCRIPT}`], { cwd: folder });
    const written = existsSync(join(folder, "out")) ? readFileSync(join(folder, "out"), "utf8") : undefined;
    return { exitCode, stdout: stdout.toString(), written, intruded: existsSync(join(folder, "pwned")) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("options reach install.sh as environment variables, byte for byte", () => {
  for (const value of [
    "plain",
    "two words",
    "a\"b'c",
    "$HOME ${PATH} `id` $(id)",
    "back\\slash\\",
    "line\nbreak",
    "tab\there",
    "äöü ✓",
    "",
  ]) {
    const { written } = installWith({ ...FEATURE, options: [["GREETING", value]] }, 'printf %s "$GREETING" >out');
    expect(written).toBe(value);
  }
});

test("no option value runs code, however it is written", () => {
  for (const value of [
    '"; touch pwned; "',
    "$(touch pwned)",
    "`touch pwned`",
    '\\"; touch pwned; #',
    "\\$(touch pwned)",
    "'; touch pwned; '",
    "\n touch pwned\n",
    '"\ntouch pwned\n"',
  ]) {
    const { intruded, exitCode } = installWith({ ...FEATURE, options: [["GREETING", value]] }, "true");
    expect({ value, intruded, exitCode }).toEqual({ value, intruded: false, exitCode: 0 });
  }
});

test("no text of a Feature's own metadata runs code in the wrapper", () => {
  const text = "'; touch pwned; echo '$(touch pwned)`touch pwned`\n touch pwned\n";
  const step = {
    ...FEATURE,
    name: text,
    description: text,
    version: text,
    documentationUrl: text,
    reference: text,
    warnings: [text],
  };
  expect(installWith(step, "exit 1").intruded).toBe(false);
});

test("an option whose name is no variable name is refused", () => {
  expect(() => renderOptionsFile({ ...FEATURE, options: [["A;touch pwned", "x"]] })).toThrow("not a valid name");
});

test("a failing Feature is named with its documentation, and its exit code is kept", () => {
  const { exitCode, stdout } = installWith(FEATURE, "echo about to fail; exit 7");
  expect(exitCode).toBe(7);
  expect(stdout).toEndWith(
    'about to fail\nERROR: Feature "Hello" (ghcr.io/acme/features/hello:1) failed to install! Look at the documentation at https://example.com/hello for help troubleshooting this error.\n',
  );
});

test("the wrapper tells users and homes to install.sh", () => {
  const { written } = installWith(
    FEATURE,
    'echo "$_CONTAINER_USER $_CONTAINER_USER_HOME $_REMOTE_USER $_REMOTE_USER_HOME" >out',
  );
  expect(written).toBe("root /root root /root\n");
});

test("the banner names the Feature, its version, options and warnings", () => {
  const { stdout } = installWith({ ...FEATURE, warnings: ["This Feature is deprecated."] }, "true");
  expect(stdout).toBe(
    [
      "=".repeat(75),
      "(!) WARNING: This Feature is deprecated.",
      "Feature       : Hello",
      "Description   : Says hello",
      "Id            : ghcr.io/acme/features/hello:1",
      "Version       : 1.2.3",
      "Documentation : https://example.com/hello",
      "Options       :",
      '    GREETING="hi"',
      "=".repeat(75),
      "",
    ].join("\n"),
  );
});
