import { expect, test } from "bun:test";
import { planAgentImage } from "../../src/plan/plan-agent-image.ts";

const user = { name: "ada", uid: 1000, gid: 1000, home: "/home/ada", passwd: undefined, group: undefined };

test("an agent's files go to their places, with the folders between that a base does not have", () => {
  const file = (name: string, to: string, mode = 0o755) => ({ name, digest: `sha256:${name}`, to, mode });
  const plan = planAgentImage({
    base: { reference: "acme/base", digest: "sha256:base", platform: "linux/amd64" },
    baseName: "acme/base",
    agent: {
      name: "codex",
      version: "1.2.3",
      variant: "x64",
      files: [
        file("codex", "/usr/local/bin/codex"),
        file("rg", "/usr/local/codex-path/rg"),
        file("zsh", "/usr/local/codex-resources/zsh/bin/zsh"),
        file("codex-package.json", "/usr/local/codex-package.json", 0o644),
      ],
    },
    user,
    packages: [],
  });
  const [copy] = plan.steps;
  const entries = copy?.kind === "copy" ? copy.entries : [];
  expect(entries.map(({ path, content }) => `${path} ${content.kind}`)).toEqual([
    "/usr/local/codex-path directory",
    "/usr/local/codex-resources directory",
    "/usr/local/codex-resources/zsh directory",
    "/usr/local/codex-resources/zsh/bin directory",
    "/usr/local/bin/codex file",
    "/usr/local/codex-path/rg file",
    "/usr/local/codex-resources/zsh/bin/zsh file",
    "/usr/local/codex-package.json file",
  ]);
  expect(entries.every(({ uid, gid }) => uid === 0 && gid === 0)).toBe(true);
  expect(entries.at(-1)?.content).toEqual({
    kind: "file",
    name: "codex-package.json",
    digest: "sha256:codex-package.json",
    mode: 0o644,
  });
});
