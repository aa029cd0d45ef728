import { expect, test } from "bun:test";
import { chownSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openShellScene } from "./agent-shell.ts";
import { askEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine } from "./engines.ts";
import { writeFiles } from "./workspace.ts";

/** Where this machine's users and programs keep what opens other doors. */
const CREDENTIALS = [
  ".ssh/id_ed25519",
  ".aws/credentials",
  ".config/gcloud/application_default_credentials.json",
  ".azure/msal_token_cache.json",
  ".kube/config",
  ".docker/config.json",
  ".config/gh/hosts.yml",
  ".netrc",
  ".npmrc",
  ".git-credentials",
  ".gnupg/private-keys-v1.d/key",
];

/** Nobody of the base's. */
const CALLER = { USER: "ada", COOPER_UID: "4321", COOPER_GID: "4321" };

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openShellScene(engine);
    const secret = `secret-${scene.id}`;

    function project(settings: object = {}, files: Record<string, string> = {}): string {
      const folder = scene.project({ custom_base_image: BASE_IMAGE, ...settings }, files);
      chownSync(folder, 4321, 4321);
      return folder;
    }
    const inside = (folder: string, script: string, env: Readonly<Record<string, string>> = {}) =>
      scene.inside(folder, script, { ...CALLER, ...env });

    test("files of this machine outside of the project are not there, by their path, by a link or through a process", async () => {
      const folder = project();
      const beside = join(folder, "..", "beside.txt");
      writeFiles(join(folder, ".."), { "beside.txt": secret });
      Bun.spawnSync(["ln", "-s", beside, join(folder, "link")]);
      const script = `cat ${beside} link ../beside.txt /proc/1/root${beside} /proc/*/root${beside} /proc/*/cwd/../beside.txt 2>/dev/null
        grep -rls ${secret} / --exclude-dir=proc --exclude-dir=sys 2>/dev/null
        ls -d /proc/[0-9]* | wc -l; echo done`;
      const { stdout } = await inside(folder, script);
      expect(stdout).toMatch(/^\d+\ndone\n$/);
      // This machine's processes are not among those to be seen.
      expect(Number.parseInt(stdout, 10)).toBeLessThan(10);
      expect(readFileSync(beside, "utf8")).toBe(secret);
    });

    test("credentials of ssh, clouds and registries are neither in the home nor in the environment", async () => {
      const folder = project();
      writeFiles(scene.home, Object.fromEntries(CREDENTIALS.map((path) => [path, secret])));
      const names = ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG"];
      const env = Object.fromEntries([...names, "NPM_TOKEN", "HTTPS_PROXY"].map((variable) => [variable, secret]));
      const places = ["$HOME", scene.home, "/root", "/home/*"].flatMap((home) =>
        CREDENTIALS.map((path) => `${home}/${path}`),
      );
      const { stdout, exitCode } = await inside(
        folder,
        `cat ${places.join(" ")} 2>/dev/null; env | grep ${secret}; tr '\\0' '\\n' </proc/1/environ | grep ${secret}; echo done`,
        env,
      );
      expect({ stdout, exitCode }).toEqual({ stdout: "done\n", exitCode: 0 });
    });

    test("the ssh agent's and the engine's sockets are out of reach, and no other of this machine is there", async () => {
      const folder = project();
      const socket = join(scene.home, "agent.sock");
      const server = Bun.listen({ unix: socket, socket: { data: () => undefined } });
      try {
        const engines = (engine.env["DOCKER_HOST"] ?? process.env["DOCKER_HOST"] ?? "").replace(/^unix:\/\//, "");
        const paths = [socket, engines, "/var/run/docker.sock", "/run/podman/podman.sock"].filter(
          (path) => path !== "",
        );
        const script = `echo "\${SSH_AUTH_SOCK-none} \${DOCKER_HOST-none} \${CONTAINER_HOST-none}"
          for path in ${paths.join(" ")}; do [ -e "$path" ] && echo "$path is there"; done
          find / -xdev -type s 2>/dev/null; find . -type s; grep -c @/ /proc/net/unix; echo done`;
        const { stdout } = await inside(folder, script, { SSH_AUTH_SOCK: socket });
        expect(stdout).toBe("none none none\n0\ndone\n");
      } finally {
        server.stop(true);
      }
    });

    test("there are no capabilities, not for root either, and none are to be gained", async () => {
      const look = "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -s '\\t' ' '";
      const none = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((set) => `${set}: 0000000000000000`);
      const expected = [...none, "NoNewPrivs: 1", "Seccomp: 2", ""].join("\n");
      const tries =
        "mount -t tmpfs none /mnt 2>/dev/null && echo mounted; mknod /tmp/d b 8 0 2>/dev/null && echo made;";
      const chown = "chown 1:1 . 2>/dev/null && echo given away; chroot / true 2>/dev/null && echo rooted;";
      for (const ids of [CALLER, { COOPER_UID: "0", COOPER_GID: "0" }]) {
        const { stdout } = await scene.inside(project(), `${look}; ${tries} ${chown} :`, ids);
        expect(stdout).toBe(expected);
      }
    });

    test("a program that is setuid root gives nobody root's rights", async () => {
      const lines = "RUN cp /bin/dash /usr/local/bin/rootsh && chmod 4755 /usr/local/bin/rootsh";
      const folder = scene.project(
        { custom_base_dockerfile: "docker/Dockerfile" },
        { "docker/Dockerfile": `FROM ${BASE_IMAGE}\n${lines}\n` },
      );
      chownSync(folder, 4321, 4321);
      const rise = "rootsh -p -c 'id -u; cat /etc/shadow >/dev/null 2>&1 && echo read'";
      expect(await inside(folder, rise)).toMatchObject({ stdout: "4321\n" });
      const { stdout } = await scene.cooper(folder, ["agent", "preflight", "--json"], CALLER);
      const { image } = JSON.parse(stdout);
      const bare = ["run", "--rm", "--pull=never", "--user=4321", "--entrypoint=", image, "sh", "-c", rise];
      // Without cooper's options the same program does.
      expect((await askEngine(engine, bare)).stdout).toBe("0\nread\n");
    });

    test("an env file of a project takes nothing of this machine's environment", async () => {
      const files = ["AWS_SECRET_ACCESS_KEY\n", "A=1\n*\n", "  AWS_*\r\n"];
      for (const text of files) {
        const run = await inside(project({}, { "ocx.env": text }), "env", { AWS_SECRET_ACCESS_KEY: secret });
        expect(run).toMatchObject({ exitCode: 1, stdout: "" });
        expect(run.stderr).toMatch(/ocx\.env:\d: ".*" has no value/);
      }
      const { stdout } = await inside(project({}, { "ocx.env": "A=1\n" }), 'echo "$A"');
      expect(stdout).toBe("1\n");
    });

    test("an env file by another name than the usual cannot be changed either", async () => {
      const folder = project({ env_file: "env/dev.env" }, { "env/dev.env": "A=1\n" });
      const script = `echo "$A"; for path in env/dev.env env; do mv $path $path.moved 2>/dev/null && echo moved; done
        (echo AWS_SECRET_ACCESS_KEY >>env/dev.env) 2>/dev/null && echo wrote; echo done`;
      chownSync(join(folder, "env"), 4321, 4321);
      chownSync(join(folder, "env", "dev.env"), 4321, 4321);
      expect((await inside(folder, script)).stdout).toBe("1\ndone\n");
      expect(readFileSync(join(folder, "env", "dev.env"), "utf8")).toBe("A=1\n");
    });

    test("the name of an env file cannot lead to another file", async () => {
      writeFiles(scene.home, { ".aws/credentials": `AWS_SECRET_ACCESS_KEY=${secret}\n` });
      const named = `x,${join(scene.home, ".aws", "credentials")}`;
      const folder = project({ env_file: named }, { [named]: "A=1\n", x: "B=1\n" });
      const { stdout, stderr } = await inside(folder, `env | grep -E '^(A|B)=|${secret}'`);
      expect({ stdout, stderr }).toMatchObject({ stdout: "A=1\n" });
    });

    test("a hostile cooper.jsonc gets nothing before it is trusted, and what it asked for after", async () => {
      writeFiles(scene.home, { ".aws/credentials": `AWS_SECRET_ACCESS_KEY=${secret}\n` });
      const hostile = {
        opencode_config_dir: "~",
        network: "host",
        allow_host_loopback: true,
        env_file: "~/.aws/credentials",
        env_passthrough: ["GITHUB_TOKEN"],
        rgignore_file: "~/.aws/credentials",
        custom_base_dockerfile: "~/.aws/Dockerfile",
        data_volumes_name: "somebody-elses",
        uid: 0,
        memory: "900g",
        port: 22,
      };
      const folder = project(hostile);
      const env = { GITHUB_TOKEN: secret };
      const before = await inside(
        folder,
        `env | grep ${secret}; id -u; cat ~/.rgignore 2>/dev/null; ls -A ~/.config/opencode`,
        env,
      );
      expect(before).toMatchObject({ stdout: "4321\n", exitCode: 0 });
      for (const key of Object.keys(hostile).filter((each) => each !== "uid"))
        expect(before.stderr).toContain(`: ${key} is ignored`);
      const told = async () =>
        (await scene.cooper(folder, ["agent", "preflight", "--json"], { ...CALLER, ...env })).stdout;
      expect(JSON.parse(await told())).toMatchObject({ network: "bridge", limits: { memory: "1024m" } });
      expect(await told()).not.toMatch(/credentials|GITHUB_TOKEN|somebody/);

      for (const wrong of [{ forbidden_paths: ["../.."] }, { container_name: "a b" }]) {
        const refused = await inside(project(wrong), "echo ran");
        expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
      }

      const { custom_base_dockerfile: _, ...usable } = hostile;
      const trusted = project({ ...usable, memory: "1g" });
      const trust = await scene.cooper(trusted, ["config", "trust"]);
      expect(trust.exitCode).toBe(0);
      const after = await scene.cooper(trusted, ["agent", "preflight", "--json"], env);
      expect(JSON.parse(after.stdout)).toMatchObject({
        network: "host",
        environment: { passed: ["GITHUB_TOKEN"], files: [{ names: ["AWS_SECRET_ACCESS_KEY"] }] },
      });
      expect(existsSync(join(trusted, "cooper.jsonc"))).toBe(true);
      writeFiles(trusted, { "cooper.jsonc": { json: { ...usable, memory: "2g" } } });
      const changed = await scene.cooper(trusted, ["agent", "preflight", "--json"], env);
      expect(JSON.parse(changed.stdout)).toMatchObject({ network: "bridge", environment: { passed: [], files: [] } });
    });
  });
}
