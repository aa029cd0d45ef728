import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { startShellRegistry } from "./agent-shell.ts";
import { BASE_IMAGE } from "./engines.ts";
import { openRootlessPodman, type RootlessPodman } from "./rootless-podman.ts";
import { writeFiles } from "./workspace.ts";

const rootless = await openRootlessPodman();
const skipped = "reason" in rootless ? ` (skipped: ${rootless.reason})` : "";

describe.skipIf(skipped !== "")(`agents of a rootless podman${skipped}`, () => {
  if ("reason" in rootless) test("agents", () => undefined);
  else tests(rootless);
});

function tests({ folder, podman, cooper, give, user: { uid, gid } }: RootlessPodman) {
  const env = {
    npm_config_registry: startShellRegistry(),
    COOPER_USERNAME: "ada",
    COOPER_DATA_VOLUMES_MODE: "always",
  };
  const project = join(folder, "project");
  writeFiles(project, {
    "cooper.jsonc": { json: { custom_base_image: BASE_IMAGE, forbidden_paths: ["secrets"] } },
    "secrets/a": "hidden",
  });
  give(project);
  const agent = (...words: string[]) => cooper(words, { cwd: project, env });

  test("the agent works with the caller's ids, in a home and with volumes that it can write to, and what it makes is theirs", async () => {
    const script =
      'id -u; id -g; touch made ~/x ~/.cache/x ~/.local/x ~/.local/share/x ~/.config/opencode/x "$TMPDIR/x" && cat secrets/a 2>/dev/null; ls secrets';
    const { stdout, exitCode } = await agent("opencode", "sh", "-c", script);
    expect({ stdout, exitCode }).toMatchObject({ stdout: `${uid}\n${gid}\n` });
    const made = statSync(join(project, "made"));
    expect([made.uid, made.gid]).toEqual([uid, gid]);
    const volumes = (await podman(["volume", "ls", "--quiet", "--filter", "label=dev.cooper.agent.volumes"])).stdout;
    expect(volumes).toMatch(/^ocx-dir-[0-9a-f]{12}-cache\nocx-dir-[0-9a-f]{12}-local\n$/);
  });

  test("the second time nothing is built, and what was kept in volumes is there", async () => {
    const { stdout, stderr } = await agent("opencode", "ls", "/home/ada/.cache");
    expect(stdout).toBe("x\n");
    expect(stderr).not.toMatch(/STEP|Download/);
  });

  test("nothing of the user's is reached, nothing guarded is changed, and there are no rights to be had", async () => {
    writeFiles(folder, { ".ssh/id_ed25519": "private" });
    const script = `cat ${folder}/.ssh/id_ed25519 2>/dev/null
      for path in cooper.jsonc ocx.env .devcontainer; do (echo evil >$path) 2>/dev/null && echo "wrote $path"; done
      grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status | tr -s '\\t' ' '`;
    const { stdout } = await agent("opencode", "sh", "-c", script);
    expect(stdout).toBe("CapEff: 0000000000000000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\n");
  });

  test("preflight tells the caller's ids", async () => {
    const { stdout } = await agent("agent", "preflight", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ user: `${uid}:${gid}`, network: "bridge", capabilities: [] });
  });
}
