import { expect, test } from "bun:test";
import { runEngine } from "./builders.ts";
import { type DevContainer, openDevContainers } from "./dev-containers.ts";
import { describeEngine } from "./engines.ts";
import { enter, sessionTools } from "./session-tools.ts";
import { openScene } from "./workspace.ts";

const GIT = "RUN apt-get update -q && apt-get install -y -q --no-install-recommends git";

/** Shell text that makes `/srv/dotfiles` a repository of these files, all executable. */
function repositoryOf(files: Readonly<Record<string, string>>): string {
  const writes = Object.entries(files).map(([path, text]) => {
    return `mkdir -p "$(dirname ${path})"; printf %s '${text.replaceAll("'", "'\\''")}' >${path}`;
  });
  const commit = "git -c user.name=t -c user.email=t@t commit -q -m dotfiles";
  return `mkdir /srv/dotfiles; cd /srv/dotfiles; git init -q; ${writes.join("; ")}; git add -A; ${commit}`;
}

/** What a shell line prints in a container. */
function read({ engine, id }: DevContainer, line: string): Promise<string> {
  return runEngine(engine, ["exec", id, "sh", "-c", line]);
}

const repository = "/srv/dotfiles";

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const containers = openDevContainers();
    const scene = openScene();
    let image: Promise<string> | undefined;
    const imageWithGit = () => {
      image ??= scene.baseImage(engine, "git", GIT);
      return image;
    };
    /** A container with git and a repository of dotfiles. */
    const start = async (files: Readonly<Record<string, string>>, metadata: readonly object[] = [{}]) =>
      containers.start(engine, { metadata, image: await imageWithGit(), setUp: repositoryOf(files) });

    test("without an install command the first of the usual scripts runs, once, between postCreate and postStart", async () => {
      const script = '#!/bin/sh\necho "dotfiles in $PWD, $SECRET" >>/work/log; echo "with $SECRET"\n';
      const container = await start({ "script/setup": "exit 9", "bootstrap.sh": script }, [
        { postCreateCommand: "echo post >>/work/log", postStartCommand: "echo start >>/work/log" },
      ]);
      const secrets = { SECRET: "canary-of-dotfiles" };
      const tools = sessionTools(container, { secrets });
      for (let times = 0; times < 2; times += 1) await enter(container, tools, { secrets, dotfiles: { repository } });
      expect(await read(container, "cat /work/log")).toBe(
        "post\ndotfiles in /root/dotfiles, canary-of-dotfiles\nstart\n",
      );
      expect(tools.said()).toContain("Installing Dotfiles...\n");
      expect(tools.said()).not.toContain("canary");
      expect(await read(container, "ls -A /root/.devcontainer")).toContain(".dotfilesMarker");
    });

    test("an install command of the repository runs, made executable, from the target", async () => {
      const container = await start({ "bin/mine": "#!/bin/sh\npwd >/work/log\n", "install.sh": "exit 9" });
      await enter(container, sessionTools(container), {
        dotfiles: { repository, installCommand: "bin/mine", targetPath: "/opt/dots" },
      });
      expect(await read(container, "cat /work/log")).toBe("/opt/dots\n");
    });

    test("without any script the files are linked into the home, where no directory is in the way", async () => {
      const container = await start({ ".vimrc": "vim", ".config/x": "x", ".ssh/config": "ssh", plain: "plain" });
      await read(container, "mkdir /root/.ssh; touch /root/.ssh/kept");
      await enter(container, sessionTools(container), { dotfiles: { repository } });
      const line = "cd /root; readlink .vimrc .config; ls -A .ssh; ls -d .git plain 2>/dev/null || true";
      expect(await read(container, line)).toBe("/root/dotfiles/.vimrc\n/root/dotfiles/.config\nkept\n");
    });

    test("what goes wrong is said and keeps no hook from running", async () => {
      const container = await start({ "install.sh": "#!/bin/sh\nexit 3\n" }, [
        { postStartCommand: "echo start >/work/log" },
      ]);
      const tools = sessionTools(container);
      await enter(container, tools, { dotfiles: { repository } });
      expect(tools.said()).toContain("warning: The dotfiles were not installed: exit code 3.");
      expect(await read(container, "cat /work/log")).toBe("start\n");
    });

    test("without git there are no dotfiles, and later with git there are", async () => {
      const container = await start({ ".a": "a" });
      await read(container, "mv /usr/bin/git /usr/bin/later");
      const tools = sessionTools(container);
      await enter(container, tools, { dotfiles: { repository } });
      expect(tools.said()).toContain("No git in the container: no dotfiles.");
      await read(container, "mv /usr/bin/later /usr/bin/git");
      await enter(container, tools, { dotfiles: { repository } });
      expect(await read(container, "readlink /root/.a")).toBe("/root/dotfiles/.a\n");
    });

    test("an address that looks like an option is none", async () => {
      const container = await start({ ".a": "a" });
      const tools = sessionTools(container);
      await enter(container, tools, { dotfiles: { repository: "--upload-pack=touch /work/hacked:x" } });
      expect(await read(container, "ls -A /work")).toBe("");
      expect(tools.said()).toContain("The dotfiles were not installed");
    });
  });
}
