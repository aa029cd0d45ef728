import { expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describeBuilders, runInImage } from "./builders.ts";
import { BASE_IMAGE, runCooper } from "./engines.ts";
import { devcontainerJson, imageOf, inspectImage, leftoverBuilds, localFeature, openScene } from "./workspace.ts";

/** Everything that a shell, a Dockerfile or a JSON reader might take for its own. */
const TRICKY =
  " 'single' \"double\" $HOME ${PATH} $(id) `id` \\ \\n \t tab\nline two\r\n# é€😀 %s ; & | > < * ? ~ ! trailing ";

const eventSchema = v.looseObject({
  type: v.picklist(["text", "raw", "start", "stop", "progress"]),
  text: v.optional(v.string()),
  level: v.optional(v.number()),
  timestamp: v.optional(v.number()),
});

describeBuilders((builder) => {
  const { engine } = builder;
  const scene = openScene();

  test("an image with two local Features: they work, and what the base image says stays", async () => {
    const base = await scene.baseImage(
      engine,
      "with-user",
      [
        "RUN useradd --create-home --uid 1234 someone",
        'ENV BASE_VARIABLE="from base"',
        "WORKDIR /srv",
        'ENTRYPOINT ["/bin/cat"]',
        'CMD ["/etc/hostname"]',
        `LABEL devcontainer.metadata='[{"remoteUser":"someone","remoteEnv":{"A":"\${containerEnv:B}"}}]' org.example.base=kept`,
        "USER someone",
      ].join("\n"),
    );
    const config = {
      image: base,
      features: { "./one": { text: TRICKY, flag: true }, "./two": "9" },
      containerEnv: { FROM_CONFIG: "$HOME \"quoted\" \\ 'x'" },
      postCreateCommand: "echo $HOME > \"/tmp/x\" && printf '\\n'",
      customizations: { vscode: { settings: { "a.b": "C:\\d" } } },
    };
    const folder = scene.workspace({
      ...devcontainerJson(config),
      ...localFeature(
        "one",
        'id -un >/one-user; printf %s "$TEXT" >/one-text; printf %s "$FLAG-$OTHER" >/one-flag\nprintf %s "$_REMOTE_USER $_REMOTE_USER_HOME $_CONTAINER_USER $_CONTAINER_USER_HOME" >/one-users; pwd >/one-pwd; ./helper',
        {
          options: {
            text: { type: "string" },
            flag: { type: "boolean", default: false },
            other: { type: "string", default: "o" },
          },
          containerEnv: { ONE_HOME: "/opt/one", PATH: "/opt/one/bin:${PATH}" },
          mounts: [{ type: "volume", source: "one-data", target: "/data" }],
          init: true,
          customizations: { vscode: { extensions: ["a.b"] } },
        },
      ),
      ".devcontainer/one/helper": "#!/bin/sh\necho helped >/one-helper\n",
      ...localFeature(
        "two",
        'echo "$VERSION after $(cat /one-flag)" >/two; printf %s "$ONE_HOME:$FROM_CONFIG" >/two-env',
        {
          options: { version: { type: "string", default: "latest" } },
          installsAfter: ["./one"],
          entrypoint: "/two-entrypoint",
        },
      ),
    });
    const home = scene.directory("home");
    const planned = await runCooper(["plan", "--workspace-folder", folder, ...builder.flags], { engine, home });
    const plan = JSON.parse(planned.stdout);
    const run = await scene.build(builder, folder, { home });
    const image = imageOf(run);
    expect(run.outcome).toEqual({ outcome: "success", imageName: [plan.tags[0]] });
    expect(image).toMatch(new RegExp(`^localhost/cooper/project-${scene.id}:[0-9a-f]{12}$`));
    expect(leftoverBuilds(home)).toEqual([]);

    const { User, Env, Entrypoint, Cmd, WorkingDir, Labels } = await inspectImage(engine, image);
    expect({ User, Entrypoint, Cmd, WorkingDir }).toEqual({
      User: "someone",
      Entrypoint: ["/bin/cat"],
      Cmd: ["/etc/hostname"],
      WorkingDir: "/srv",
    });
    expect(Env).toEqual(
      expect.arrayContaining([
        "BASE_VARIABLE=from base",
        "ONE_HOME=/opt/one",
        "FROM_CONFIG=$HOME \"quoted\" \\ 'x'",
        "PATH=/opt/one/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ]),
    );
    const { "devcontainer.metadata": metadata, ...others } = Labels;
    expect(Object.fromEntries(Object.entries(others).filter(([name]) => !name.startsWith("io.buildah")))).toEqual({
      "dev.cooper.plan": plan.hash,
      "org.example.base": "kept",
    });
    const { image: _image, features: _features, ...ofConfig } = config;
    // As text, because the order of the properties is part of the contract.
    expect(JSON.stringify(JSON.parse(metadata ?? ""))).toBe(
      JSON.stringify([
        { remoteUser: "someone", remoteEnv: { A: "${containerEnv:B}" } },
        {
          id: "./one",
          init: true,
          mounts: [{ type: "volume", source: "one-data", target: "/data" }],
          customizations: { vscode: { extensions: ["a.b"] } },
        },
        { id: "./two", entrypoint: "/two-entrypoint" },
        {
          postCreateCommand: ofConfig.postCreateCommand,
          customizations: ofConfig.customizations,
          containerEnv: ofConfig.containerEnv,
        },
      ]),
    );

    const script =
      "cat /one-text; for file in /one-user /one-flag /one-users /one-pwd /one-helper /two /two-env; do echo; echo [$file]; cat $file; done; ls -A /tmp; id -un";
    expect(await runInImage(engine, image, script)).toBe(
      `${TRICKY}\n[/one-user]\nroot\n\n[/one-flag]\ntrue-o\n[/one-users]\nsomeone /home/someone someone /home/someone\n[/one-pwd]\n/tmp/dev-container-features/one_0\n\n[/one-helper]\nhelped\n\n[/two]\n9 after true-o\n\n[/two-env]\n/opt/one:someone\n`,
    );
  });

  test("another configuration has its lockfile and its Features beside it, and builds are prepared where it is said", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ image: "localhost/no/such/image" }),
      ".devcontainer/other/devcontainer.json": {
        json: { image: BASE_IMAGE, features: { "./near": {}, "../far": {} } },
      },
      ...localFeature("other/near", "echo near >/near", { id: "near" }),
      ...localFeature("far", "echo far >/far"),
    });
    const prepared = scene.directory("prepared");
    const home = scene.directory("home");
    const args = [
      "--config",
      ".devcontainer/other/devcontainer.json",
      "--user-data-folder",
      prepared,
      "--log-level",
      "debug",
    ];
    const run = await scene.build(builder, folder, { args, cwd: folder, home });
    expect(await runInImage(engine, imageOf(run), "cat /near /far")).toBe("near\nfar\n");
    expect(run.stderr).toContain(`${prepared}/builds/build-`);
    expect(readdirSync(join(prepared, "builds"))).toEqual([]);
    expect(leftoverBuilds(home)).toEqual([]);
    expect(readdirSync(join(folder, ".devcontainer/other")).sort()).toEqual([
      "devcontainer-lock.json",
      "devcontainer.json",
      "near",
    ]);
    expect(readdirSync(join(folder, ".devcontainer")).sort()).toEqual(["devcontainer.json", "far", "other"]);
  });

  test("odd names of folders and files, links and empty folders of a Feature arrive as they are", async () => {
    const folder = scene.workspace(
      {
        ...devcontainerJson({ build: { dockerfile: "Dock er,file='x'", context: ".." }, features: { "./odd": {} } }),
        ".devcontainer/Dock er,file='x'": `FROM ${BASE_IMAGE}\nCOPY ["sp ace/\\\\$dollar", "/a"]\n`,
        "sp ace/$dollar": "context\n",
        ...localFeature(
          "odd",
          'cp -a . /odd && rmdir /odd/empty && rm /odd/devcontainer-features* && sh -c "./-n; ./data/sp\\ ace"',
        ),
        ".devcontainer/odd/.hidden": "hidden",
        ".devcontainer/odd/.dockerignore": "*\n",
        ".devcontainer/odd/-n": "#!/bin/sh\necho dash >/dash\n",
        ".devcontainer/odd/data/sp ace": "#!/bin/sh\necho space >/space\n",
        ".devcontainer/odd/data/é€😀": { text: "x", mode: 0o400 },
        ".devcontainer/odd/data/link": { link: "é€😀" },
        ".devcontainer/odd/data/dangling": { link: "/no/such/file" },
        ".devcontainer/odd/data/binary": "\u0000\u0001\r\n",
      },
      { name: "We ird,na=me'$x\"é" },
    );
    mkdirSync(join(folder, ".devcontainer/odd/empty"));
    const home = join(scene.directory("ho me,with='odd'$chars"), "é");
    const image = imageOf(await scene.build(builder, folder, { home }));
    expect(image).toStartWith("localhost/cooper/we-ird-na-me-x-");
    const script =
      "cd /odd; find . | LC_ALL=C sort; readlink data/link data/dangling; od -An -tx1 data/binary; cat /a /dash /space";
    expect(await runInImage(engine, image, script)).toBe(
      `.\n./-n\n./.dockerignore\n./.hidden\n./data\n./data/binary\n./data/dangling\n./data/link\n./data/sp ace\n./data/é€😀
./devcontainer-feature.json\n./install.sh\né€😀\n/no/such/file\n 00 01 0d 0a\ncontext\ndash\nspace\n`,
    );
    expect(leftoverBuilds(home)).toEqual([]);
  });
});

describeBuilders(
  (builder) => {
    const { engine } = builder;
    const scene = openScene();

    test("a Feature that installs a package of the distribution works, as do several names and quiet and JSON logs", async () => {
      const folder = scene.workspace({
        ...devcontainerJson({ image: BASE_IMAGE, features: { "./package": "tree" } }),
        ...localFeature(
          "package",
          'export DEBIAN_FRONTEND=noninteractive\napt-get update -y && apt-get install -y --no-install-recommends "$VERSION" && rm -rf /var/lib/apt/lists/*',
          { options: { version: { type: "string", default: "less" } } },
        ),
      });
      const [one, two] = [scene.imageName(engine, "package"), scene.imageName(engine, "package:2")];
      const names = ["--image-name", one, "--image-name", two];
      const run = await scene.build(builder, folder, { args: [...names, "--log-format", "json", "--no-cache"] });
      expect(run.outcome).toEqual({ outcome: "success", imageName: [one, two] });
      const events = run.stderr
        .trim()
        .split("\n")
        .map((line) => v.parse(eventSchema, JSON.parse(line)));
      expect(events.some(({ type, text }) => type === "raw" && text?.includes("Setting up tree") === true)).toBe(true);
      expect(await runInImage(engine, two, "tree --version | head -c 4; ls /var/lib/apt/lists")).toBe("tree");
      const again = await scene.build(builder, folder, { args: [...names, "--quiet"] });
      expect({ outcome: again.outcome, stderr: again.stderr }).toEqual({ outcome: run.outcome, stderr: "" });
    });
  },
  ["BuildKit"],
);
