import { expect, test } from "bun:test";
import type { CliCommand } from "../../src/cli/command.ts";
import { type CompletedProgram, renderCompletion, SHELLS } from "../../src/cli/completion-script.ts";

const command = (name: string, description: string): CliCommand => ({
  name,
  description,
  flags: {
    "image-name": { type: "string", description: "The image's name" },
    format: { type: "string", choices: ["text", "json"], description: "How" },
    push: { type: "boolean", description: "Push" },
    internal: { type: "boolean", description: "Nobody's business", hidden: true },
  },
  positionals: { kind: "words", atMost: 0 },
  run: async () => 0,
});
const PROGRAM: CompletedProgram = {
  commands: [
    { path: ["build"], command: command("build", "Build it") },
    { path: ["config"], command: { ...command("config", "Show it"), wordChoices: ["trust"] } },
    { path: ["image", "push"], command: command("push", "Push it") },
    { path: ["image", "pull"], command: command("pull", "Pull it") },
  ],
  groups: { image: "Images" },
};

/** What bash would offer for a command line whose last word is being written. */
function completeInBash(...words: string[]): string[] {
  const script = `${renderCompletion("bash", PROGRAM)}
compopt () { :; }
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _cooper; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = Bun.spawnSync(["bash", "--norc", "-c", script]);
  expect(stderr.toString()).toBe("");
  return stdout.toString().trim().split("\n");
}

test("bash completes commands, groups and what is in them", () => {
  expect(completeInBash("cooper", "")).toEqual(["build", "config", "image", "--help", "--version"]);
  expect(completeInBash("cooper", "bu")).toEqual(["build"]);
  expect(completeInBash("cooper", "image", "pu")).toEqual(["push", "pull"]);
});

test("bash completes a command's options and their choices, hidden ones left out", () => {
  expect(completeInBash("cooper", "build", "--")).toEqual(["--image-name", "--format", "--push", "--help"]);
  expect(completeInBash("cooper", "image", "push", "--pu")).toEqual(["--push"]);
  expect(completeInBash("cooper", "build", "--format", "")).toEqual(["text", "json"]);
});

test("a command's few words are completed in every shell", () => {
  expect(completeInBash("cooper", "config", "tr")).toEqual(["trust"]);
  expect(completeInBash("cooper", "config", "")).toContain("trust");
  for (const shell of SHELLS) expect(renderCompletion(shell, PROGRAM)).toContain("trust");
});

test("every shell's script knows every command and option, and no hidden one", () => {
  for (const shell of SHELLS) {
    const script = renderCompletion(shell, PROGRAM);
    for (const word of ["build", "image", "push", "pull", "image-name", "format"]) expect(script).toContain(word);
    expect(script).not.toContain("internal");
  }
});

for (const [shell, check] of [
  ["zsh", "-n"],
  ["fish", "--no-execute"],
] as const) {
  test.skipIf(Bun.which(shell) === null)(
    `the script for ${shell} is one that it can read, where it is installed`,
    () => {
      const script = renderCompletion(shell, PROGRAM);
      const { exitCode, stderr } = Bun.spawnSync([shell, check, "/dev/stdin"], { stdin: Buffer.from(script) });
      expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
    },
  );
}
