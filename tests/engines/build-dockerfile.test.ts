import { expect, test } from "bun:test";
import { describeBuilders, runInImage } from "./builders.ts";
import { BASE_IMAGE } from "./engines.ts";
import {
  devcontainerJson,
  type Files,
  imageOf,
  inspectImage,
  localFeature,
  messageOf,
  openScene,
} from "./workspace.ts";

const FEATURE = localFeature("mark", 'printf %s "$(id -un) $_REMOTE_USER" >/mark', {});
const withFeature = (build: object, others: object = {}): Files => ({
  ...devcontainerJson({ build, features: { "./mark": {} }, ...others }),
  ...FEATURE,
});

describeBuilders((builder) => {
  const { engine, kind } = builder;
  const scene = openScene();

  // Only the classic builder builds stages that the target does not need.
  test("args, target, USER, context and .dockerignore of a Dockerfile count with Features too", async () => {
    const folder = scene.workspace({
      ...withFeature(
        {
          dockerfile: "../docker/Dockerfile.dev",
          context: "..",
          target: "dev",
          args: { BASE: BASE_IMAGE, TEXT: "a \"b\" 'c' $HOME `id` \\", NAME: "${localWorkspaceFolderBasename}" },
          options: ["--add-host", "build.test:192.0.2.7", "--label", "org.example.option=a b"],
        },
        { remoteUser: "root" },
      ),
      "docker/Dockerfile.dev": `ARG BASE=scratch
FROM $BASE AS common
ARG TEXT
ARG NAME=unset
ARG DEV_USER=dev
RUN useradd --create-home "$DEV_USER" && printf %s "$TEXT" >/text && grep build.test /etc/hosts >/hosts
ENV NAME=\${NAME}
${kind === "classic" ? "" : "\nFROM scratch AS unused\nCOPY missing /\n"}
FROM common AS dev
ARG DEV_USER=dev
COPY . /context
COPY --from=common /text /copied
USER $DEV_USER
WORKDIR /context

FROM dev AS later
USER nobody
${kind === "classic" ? "" : "RUN false"}
`,
      ".dockerignore": "# comment\n*.log\n!keep.log\nsecret/**\n!secret/public\n.devcontainer\n",
      "a.log": "",
      "keep.log": "",
      "secret/private": "",
      "secret/public": "",
      "src/main.c": "",
    });
    const image = imageOf(await scene.build(builder, folder));
    const { User, Labels, Env, WorkingDir } = await inspectImage(engine, image);
    expect({ User, option: Labels["org.example.option"], WorkingDir }).toEqual({
      User: "dev",
      option: "a b",
      WorkingDir: "/context",
    });
    expect(Env).toContain(`NAME=project-${scene.id}`);
    const script = "id -un; cat /mark /text /copied; echo; cat /hosts; cd /context; find . -type f | sort";
    expect(await runInImage(engine, image, script)).toBe(
      `dev\nroot root${"a \"b\" 'c' $HOME `id` \\".repeat(2)}\n192.0.2.7\tbuild.test\n./.dockerignore\n./docker/Dockerfile.dev\n./keep.log\n./secret/public\n./src/main.c\n`,
    );
  });

  test("a last stage without a name, CRLF and another escape character are read as the builder reads them", async () => {
    const dockerfile = [
      "# escape=`",
      "",
      `FROM ${BASE_IMAGE}`,
      "RUN echo one `",
      "  # in between",
      "  two >/words",
      // Podman reads words with a backslash all the same.
      ...(kind === "podman" ? [] : ['ENV WINDOWS="C:\\dir\\" TICK="a``b"']),
      "user 65534:65534",
      "",
    ].join("\r\n");
    const folder = scene.workspace({
      ...withFeature({ dockerfile: "Dockerfile" }, { containerEnv: { BOTH: 'a`b\\c"$d' } }),
      ".devcontainer/Dockerfile": dockerfile,
    });
    const image = imageOf(await scene.build(builder, folder, { args: ["--label", 'org.example.both=a`b\\c"$d'] }));
    const { User, Env, Labels } = await inspectImage(engine, image);
    expect(User).toBe("65534:65534");
    const ofDockerfile = kind === "podman" ? [] : ["WINDOWS=C:\\dir\\", "TICK=a`b"];
    expect(Env).toEqual(expect.arrayContaining(['BOTH=a`b\\c"$d', ...ofDockerfile]));
    expect(Labels["org.example.both"]).toBe('a`b\\c"$d');
    expect(JSON.parse(Labels["devcontainer.metadata"] ?? "")).toEqual([
      { id: "./mark" },
      { containerEnv: { BOTH: 'a`b\\c"$d' } },
    ]);
    expect(await runInImage(engine, image, "cat /words /mark")).toBe("one two\nroot 65534");
  });

  test("a Dockerfile that ends in the middle of a line, or of an instruction, is built", async () => {
    for (const [name, ending] of Object.entries({ cut: "RUN touch /last", open: "RUN touch /last \\\n# more?\n" })) {
      const folder = scene.workspace(
        { ...withFeature({ dockerfile: "Dockerfile" }), ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\n${ending}` },
        { name },
      );
      const image = imageOf(await scene.build(builder, folder));
      expect(await runInImage(engine, image, "ls /last /mark")).toBe("/last\n/mark\n");
    }
  });

  test("an ignore file beside the Dockerfile counts instead of the context's, where the builder knows such files", async () => {
    const folder = scene.workspace({
      ...withFeature({ dockerfile: "Dockerfile", context: ".." }),
      ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nCOPY . /context\n`,
      ".devcontainer/Dockerfile.dockerignore": "hidden\n.devcontainer\n",
      ".dockerignore": "shown\n.devcontainer\n",
      hidden: "",
      shown: "",
    });
    const run = await scene.build(builder, folder);
    const found = await runInImage(engine, imageOf(run), "ls -A /context");
    if (kind === "classic") {
      expect(found).toBe(".dockerignore\nhidden\n");
      expect(run.stderr).toContain(
        `warning: The classic builder does not read the ignore file beside the Dockerfile: only .dockerignore in ${folder} counts.`,
      );
    } else {
      expect(found).toBe(".dockerignore\nshown\n");
    }
  });

  test("a Dockerfile without Features gets labels, and its own user, entrypoint and variables", async () => {
    const folder = scene.workspace({
      ".devcontainer.json": {
        json: { dockerFile: "Dockerfile", containerEnv: { NOT: "in the image" }, remoteUser: "root" },
      },
      Dockerfile: `FROM ${BASE_IMAGE}\nENTRYPOINT ["/bin/echo"]\nCMD ["hello"]\nUSER 1000\n`,
    });
    const image = imageOf(await scene.build(builder, folder, { args: ["--label", "a=b", "--label", "c d=e=f"] }));
    const { User, Env, Entrypoint, Cmd, Labels } = await inspectImage(engine, image);
    expect({ User, Entrypoint, Cmd }).toEqual({ User: "1000", Entrypoint: ["/bin/echo"], Cmd: ["hello"] });
    expect(Env.filter((variable) => variable.startsWith("NOT="))).toEqual([]);
    expect(Labels).toMatchObject({
      a: "b",
      "c d": "e=f",
      "devcontainer.metadata": '[ {"containerEnv":{"NOT":"in the image"},"remoteUser":"root"} ]',
      "dev.cooper.plan": expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
});

describeBuilders(
  (builder) => {
    const scene = openScene();

    test("a syntax directive decides who reads the Dockerfile, unless it is to be left out", async () => {
      const folder = scene.workspace({
        ...withFeature({ dockerfile: "Dockerfile" }),
        ".devcontainer/Dockerfile": [
          "# syntax=127.0.0.1:1/no/frontend:1",
          "# escape=`",
          `FROM ${BASE_IMAGE}`,
          "RUN touch `",
          "  /made",
          "",
        ].join("\n"),
      });
      expect(messageOf(await scene.build(builder, folder))).toContain("127.0.0.1:1/no/frontend:1");
      const image = imageOf(await scene.build(builder, folder, { args: ["--omit-syntax-directive"] }));
      expect(await runInImage(builder.engine, image, "ls /made /mark")).toBe("/made\n/mark\n");
    });

    test("here-documents reach BuildKit as they are", async () => {
      const folder = scene.workspace({
        ...withFeature({ dockerfile: "Dockerfile" }),
        ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE} AS base
COPY <<"EOF" /script
FROM nothing AS trap
USER nobody \\
$HOME
EOF
RUN <<-ONE cat >/one && <<TWO cat >/two
	first
	ONE
second
TWO
`,
      });
      const image = imageOf(await scene.build(builder, folder));
      expect(await runInImage(builder.engine, image, "id -un; cat /script /one /two /mark")).toBe(
        "root\nFROM nothing AS trap\nUSER nobody \\\n$HOME\nfirst\nsecond\nroot root",
      );
    });
  },
  ["BuildKit"],
);
