import { expect, test } from "bun:test";
import { chownSync, statSync } from "node:fs";
import { join } from "node:path";
import { openShellScene } from "./agent-shell.ts";
import { BASE_IMAGE, describeEngine } from "./engines.ts";

/** Who somebody with these ids is in a container, and where their home is; what they make is in the project. */
const LOOK = 'echo "$(id -un) $(id -u):$(id -g) $HOME" && touch "$HOME/.cache/x" "$HOME/x" made';

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openShellScene(engine);

    /** The first line of what an agent with these ids says of itself, and whose its file is; on a base with these lines. */
    async function lookAs(ids: string, lines: string, more: Readonly<Record<string, string>> = {}) {
      const [uid = 0, gid = 0] = ids.split(":").map(Number);
      const folder = scene.project(
        { custom_base_dockerfile: "docker/Dockerfile" },
        { "docker/Dockerfile": `FROM ${BASE_IMAGE}\n${lines}\n` },
      );
      chownSync(folder, uid, gid);
      const env = { USER: "ada", COOPER_UID: `${uid}`, COOPER_GID: `${gid}`, ...more };
      const { stdout, stderr, exitCode } = await scene.inside(folder, LOOK, env);
      expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
      const made = statSync(join(folder, "made"));
      return { who: stdout, owner: `${made.uid}:${made.gid}`, stderr, folder, env };
    }

    test("a caller whom the base does not know is added, and what they make is theirs; the second time nothing is built", async () => {
      const { who, owner, folder, env } = await lookAs("4321:4322", "USER nobody");
      expect({ who, owner }).toEqual({ who: "ada 4321:4322 /home/ada\n", owner: "4321:4322" });
      const again = await scene.inside(folder, "id -u; cat /etc/passwd | tail -1; tail -1 /etc/group", env);
      expect(again).toEqual({
        exitCode: 0,
        stdout: "4321\nada:x:4321:4322::/home/ada:/bin/sh\nada:x:4322:\n",
        stderr: "",
      });
    });

    test("a user of the base with the caller's name and another uid stays who they are", async () => {
      const { who, owner } = await lookAs("4321:4321", "RUN useradd --uid 1000 --create-home ada");
      expect({ who, owner }).toEqual({ who: "ada2 4321:4321 /home/ada2\n", owner: "4321:4321" });
    });

    test("a user of the base with the caller's uid is taken as they are, with the caller's group", async () => {
      const { who, owner } = await lookAs("4321:4322", "RUN useradd --uid 4321 -m --home-dir /srv/node node");
      expect({ who, owner }).toEqual({ who: "node 4321:4322 /srv/node\n", owner: "4321:4322" });
    });

    test("a group that the base has, as macOS's 20, is the caller's there, too", async () => {
      const { who, owner, folder, env } = await lookAs("501:20", "RUN :");
      expect({ who, owner }).toEqual({ who: "ada 501:20 /home/ada\n", owner: "501:20" });
      expect((await scene.inside(folder, "id -gn", env)).stdout).toBe("dialout\n");
    });

    test("root works as root, whatever user the base ends with", async () => {
      const { who, owner } = await lookAs("0:0", "RUN useradd --uid 4321 node\nUSER node");
      expect({ who, owner }).toEqual({ who: "root 0:0 /root\n", owner: "0:0" });
    });

    test("where no user can be added, the base's own works, with a warning", async () => {
      // No text: what would be written again would not be the same.
      const lines = "RUN useradd --uid 4321 --home-dir /srv/node -m node && printf '\\377' >>/etc/passwd\nUSER node";
      const folder = scene.project(
        { custom_base_dockerfile: "docker/Dockerfile" },
        { "docker/Dockerfile": `FROM ${BASE_IMAGE}\n${lines}\n` },
      );
      chownSync(folder, 4321, 4321);
      const env = { USER: "ada", COOPER_UID: "5000", COOPER_GID: "5000" };
      const { stdout, stderr, exitCode } = await scene.inside(folder, LOOK, env);
      expect({ stdout, exitCode }).toEqual({ stdout: "node 4321:4321 /srv/node\n", exitCode: 0 });
      expect(stderr).toContain("no user can be added: the agent works as its own user, node (4321:4321)");
      expect(statSync(join(folder, "made")).uid).toBe(4321);
    });
  });
}
