import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { createAskCredentialHelper } from "../../src/host/credential-helper.ts";
import type { ProcessResult, RunProcess, SpawnOptions } from "../../src/host/spawn.ts";
import type { Command } from "../../src/plan/command.ts";

function helperThat(result: Partial<ProcessResult>) {
  const ran: { command: Command; options: SpawnOptions | undefined }[] = [];
  // Stands in for helpers of desktops, which a test machine does not have.
  const run: RunProcess = async (command, options) => {
    ran.push({ command, options });
    return { exitCode: 0, stdout: "", stderr: "", ...result };
  };
  return { ask: createAskCredentialHelper(run), ran };
}

test("the helper gets the server on its standard input and answers with name and secret", async () => {
  const { ask, ran } = helperThat({ stdout: '{"ServerURL":"ghcr.io","Username":"ada","Secret":"s"}\n' });
  expect(await ask("desktop", "ghcr.io")).toEqual({ username: "ada", secret: "s" });
  expect(ran[0]).toMatchObject({
    command: { file: "docker-credential-desktop", args: ["get"] },
    options: { stdin: "ghcr.io" },
  });
});

test("a helper without a login for the server answers nothing", async () => {
  const { ask } = helperThat({ exitCode: 1, stdout: "credentials not found in native keychain\n" });
  expect(await ask("desktop", "ghcr.io")).toBeUndefined();
  expect(await helperThat({ stdout: '{"Username":"","Secret":""}' }).ask("desktop", "ghcr.io")).toBeUndefined();
});

test("a helper's failure never shows what it printed", async () => {
  for (const result of [
    { exitCode: 2, stderr: "my-secret" },
    { stdout: "my-secret" },
    { stdout: '{"Secret":"my-secret"}' },
  ]) {
    const failure = await helperThat(result)
      .ask("desktop", "ghcr.io")
      .catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(UserError);
    expect(String(failure)).not.toContain("my-secret");
  }
});

test.each(["../../bin/sh", "a/b", "", "-x", "a b"])("%j is not run as a helper", async (name) => {
  const { ask, ran } = helperThat({});
  await expect(ask(name, "ghcr.io")).rejects.toThrow(UserError);
  expect(ran).toEqual([]);
});
