import { expect, test } from "bun:test";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeBuilders, type TestBuilder } from "./builders.ts";
import { BASE_IMAGE, type CooperOptions, runCooper } from "./engines.ts";
import { devcontainerJson, type Files, localFeature, messageOf, openScene } from "./workspace.ts";

/** What a user may get wrong, and what has to be in the message on stdout; CONFIG stands for the path of devcontainer.json. */
const MISTAKES: readonly {
  readonly what: string;
  readonly files: Files;
  readonly args?: readonly string[];
  readonly message: string | RegExp;
}[] = [
  { what: "no configuration", files: {}, message: /^Dev container config \(CONFIG\) not found\./ },
  {
    what: "an empty configuration",
    files: { CONFIG: "" },
    message: /^Dev container config \(CONFIG\) not found\..* empty/,
  },
  {
    what: "blanks for a configuration",
    files: { CONFIG: " \n" },
    message: /^Dev container config \(CONFIG\) not found\./,
  },
  {
    what: "an array for a configuration",
    files: { CONFIG: "[]" },
    message: "Dev container config (CONFIG) must contain a JSON object literal.",
  },
  { what: "a missing value", files: { CONFIG: '{\n  "image":\n}' }, message: 'CONFIG:3:1: found "}"; wanted a value.' },
  {
    what: "a missing brace",
    files: { CONFIG: '{"image": "debian"' },
    message: /^CONFIG:1:19: found the end of the file/,
  },
  {
    what: "values of wrong types",
    files: { CONFIG: '{\n  "image": 1,\n  "features": [],\n  "remoteEnv": {"A": []}\n}' },
    message:
      /CONFIG:2:12: image: found the number 1; wanted a string\.\n.*CONFIG:3:15: features: .*\n.*CONFIG:4:22: remoteEnv\.A: /,
  },
  {
    what: "no image",
    files: { CONFIG: '{"imagee": "debian"}' },
    message: /^No image information specified in devcontainer\.json\./,
  },
  {
    what: "a bad image name",
    files: { CONFIG: '{"image": "debian:a:b"}' },
    message: /^Invalid image reference "debian:a:b"/,
  },
  {
    what: "an absent image",
    files: { CONFIG: '{"image": "localhost/no-such-image"}' },
    message: /^Could not find the base image localhost\/no-such-image/,
  },
  {
    what: "an absent registry",
    files: { CONFIG: '{"image": "127.0.0.1:1/x/y"}' },
    message: /^Could not find the base image 127\.0\.0\.1:1\/x\/y.*127\.0\.0\.1:1/,
  },
  {
    what: "an absent Dockerfile",
    files: { CONFIG: '{"build": {"dockerfile": "Nope"}}' },
    message: /^Dockerfile \(\/.*\/\.devcontainer\/Nope\) not found\.$/,
  },
  {
    what: "an absent context",
    files: { CONFIG: '{"build": {"dockerfile": "Dockerfile", "context": "nope"}}', DOCKERFILE: "FROM scratch\n" },
    message: /^The build context \/.*\/nope is not a folder\.$/,
  },
  {
    what: "no FROM",
    files: { CONFIG: '{"dockerFile": "Dockerfile"}', DOCKERFILE: "RUN true\n" },
    message: /^Dockerfile: no FROM instruction found/,
  },
  {
    what: "an empty FROM",
    files: { CONFIG: '{"dockerFile": "Dockerfile"}', DOCKERFILE: "# a\nFROM $X\n" },
    message: /^Dockerfile:2: the image of "FROM \$X" expands to nothing\.$/,
  },
  {
    what: "an unknown target",
    files: {
      CONFIG: '{"build": {"dockerfile": "Dockerfile", "target": "c"}}',
      DOCKERFILE: "FROM scratch AS a\nFROM a AS b\n",
    },
    message: 'Dockerfile: no build stage "c" found; its stages are a, b.',
  },
  {
    what: "a legacy Feature",
    files: { CONFIG: '{"image": "scratch", "features": {"mine": {}}}' },
    message: /prepend your Feature name with/,
  },
  {
    what: "an absent Feature",
    files: { CONFIG: '{"image": "scratch", "features": {"./mine": {}}}' },
    message: /^Feature '\.\/mine' does not exist: wanted a folder \/.*\/mine\.$/,
  },
  {
    what: "--push with --output",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--push", "--output", "type=oci"],
    message: "--push true cannot be used with --output.",
  },
  {
    what: "--push without BuildKit",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--buildkit", "never", "--push"],
    message: "--platform or --push require BuildKit enabled.",
  },
  {
    what: "--platform without BuildKit",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--buildkit", "never", "--platform", "linux/amd64"],
    message: "--platform or --push require BuildKit enabled.",
  },
  {
    what: "--push to nowhere",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--push"],
    message: "--push needs to know where to push to.",
  },
  {
    what: "a bad platform",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--platform", "linux"],
    message: /^Invalid platform "linux"/,
  },
  {
    what: "a bad label",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--label", "x"],
    message: '--label "x" must match <name>=<value>.',
  },
  {
    what: "a bad image name to give",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--image-name", "Not a name"],
    message: /^Invalid image reference "Not a name"/,
  },
  {
    what: "an image name like an option",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--image-name=--rm"],
    message: /^Invalid image reference "--rm"/,
  },
  {
    what: "Features that are no JSON",
    files: { CONFIG: '{"image": "scratch"}' },
    args: ["--additional-features", "{"],
    message: /^--additional-features is no JSON object/,
  },
];

describeBuilders(
  (builder: TestBuilder) => {
    const { engine } = builder;
    const scene = openScene();
    const build = (folder: string, options: CooperOptions & { readonly args?: readonly string[] } = {}) =>
      scene.build(builder, folder, options);

    for (const { what, files, args = [], message } of MISTAKES) {
      test(`${what} is told as JSON, in words, with exit code 1`, async () => {
        const { CONFIG, DOCKERFILE, ...others } = files;
        const folder = scene.workspace({
          ...others,
          "README.md": "",
          ...(CONFIG === undefined ? {} : { ".devcontainer/devcontainer.json": CONFIG }),
          ...(DOCKERFILE === undefined ? {} : { ".devcontainer/Dockerfile": DOCKERFILE }),
        });
        const config = join(folder, ".devcontainer/devcontainer.json");
        const run = await build(folder, { args });
        const said = messageOf(run).replaceAll(config, "CONFIG");
        if (typeof message === "string") expect(said).toBe(message);
        else expect(said).toMatch(message);
        expect(run.exitCode).toBe(1);
        expect(run.stderr).toContain(`error: ${messageOf(run)}`);
        expect(run.stderr).not.toMatch(/This is a bug|\n {4}at /);
        expect(existsSync(join(folder, ".devcontainer/devcontainer-lock.json"))).toBe(false);
      });
    }

    test("a wrong command line is told on stderr with the usage, and nothing is on stdout", async () => {
      const folder = scene.workspace(devcontainerJson({ image: "scratch" }));
      const place = ["--workspace-folder", folder];
      for (const [words, said] of [
        [["build", ...place, "--imagename", "x"], "Unknown argument: imagename (did you mean --image-name?)"],
        [["build", ...place, "--no-such"], "Unknown argument: no-such"],
        [["build", ...place, "one", "two"], "Unknown argument: two"],
        [
          ["build", ...place, "--log-level", "warn"],
          'Argument: log-level, Given: "warn", Choices: "info", "debug", "trace"',
        ],
        [["build", ...place, "--buildkit", "always"], 'Argument: buildkit, Given: "always", Choices: "auto", "never"'],
        [["build", ...place, "--no-cache=maybe"], "--no-cache is either true or false"],
        [["build", ...place, "--image-name"], "Not enough arguments following: image-name"],
        [["build", ...place, "--platform", "a/b", "--platform", "c/d"], "--platform was given 2 times"],
        [["build", ...place, "--no-lockfile", "--frozen-lockfile"], "mutually exclusive"],
        [["plan", ...place, "--argv", "--dockerfile"], "mutually exclusive"],
        [["bild", ...place], "Unknown argument: bild (did you mean build?)"],
        [[], "Not enough non-option arguments: got 0, need at least 1"],
      ] as const) {
        const { exitCode, stdout, stderr } = await runCooper(words, { engine });
        expect({ words, exitCode, stdout }).toEqual({ words, exitCode: 1, stdout: "" });
        expect(stderr).toContain(said);
        expect(stderr).toContain("USAGE");
      }
    });

    test("an engine that cannot be run, does not answer or answers nonsense is an error that names it", async () => {
      const folder = scene.workspace(devcontainerJson({ image: BASE_IMAGE }));
      const notExecutable = join(folder, "engine");
      writeFileSync(notExecutable, "#!/bin/sh\nexit 0\n");
      const nonsense = join(folder, "nonsense");
      writeFileSync(nonsense, "#!/bin/sh\necho '<html>'\n");
      chmodSync(nonsense, 0o755);
      for (const [path, said] of [
        ["/no/such/engine", "Could not run /no/such/engine: no such executable."],
        [notExecutable, `Could not run ${notExecutable}: permission denied.`],
        [nonsense, "Could not read the engine's answer"],
        ["/bin/true", `Could not find the base image ${BASE_IMAGE}`],
      ] as const) {
        for (const way of [{ args: ["--docker-path", path] }, { env: { COOPER_DOCKER_PATH: path } }]) {
          expect(messageOf(await build(folder, way))).toContain(said);
        }
      }
      const nobody = { COOPER_DOCKER_PATH: "", DOCKER_HOST: "tcp://127.0.0.1:1" };
      const unreachable = await build(folder, { env: nobody });
      expect(messageOf(unreachable)).toMatch(
        /^The container engine behind docker is not running: .*tcp:\/\/127\.0\.0\.1:1/,
      );
      const none = await build(folder, { env: { ...nobody, PATH: "/nonexistent" } });
      expect(messageOf(none)).toBe("No container engine was found: neither docker nor podman is on PATH.");
    });

    test("a folder that cannot be written to is an error, but none when nothing is to be written", async () => {
      const feature = localFeature("a", "true");
      const folder = scene.workspace({
        ...devcontainerJson({ image: BASE_IMAGE, features: { "./a": {} } }),
        ...feature,
      });
      // By what is in its place, as a mode would not stop root.
      const blocked = scene.workspace({
        ...devcontainerJson({ image: BASE_IMAGE, features: { "./a": {} } }),
        ...feature,
        ".devcontainer/devcontainer-lock.json/x": "",
      });
      expect(messageOf(await build(blocked))).toMatch(
        /^The lockfile \/.*devcontainer-lock\.json could not be written: /,
      );
      expect((await build(blocked, { args: ["--no-lockfile"] })).outcome.outcome).toBe("success");
      const cache = await build(folder, {
        args: ["--no-cache"],
        env: { XDG_CACHE_HOME: join(folder, ".devcontainer/devcontainer.json") },
      });
      expect(cache.outcome.outcome).toBe("error");
      expect(cache.stderr).not.toContain("This is a bug");
    });
  },
  ["BuildKit"],
);
