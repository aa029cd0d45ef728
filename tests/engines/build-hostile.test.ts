import { expect, test } from "bun:test";
import { describeBuilders, runInImage } from "./builders.ts";
import { devcontainerJson, imageOf, inspectImage, localFeature, messageOf, openScene } from "./workspace.ts";

const TOUCH = "touch /pwned";

/** Texts that run TOUCH wherever one kind of quoting is forgotten. */
const HOSTILE = [
  `$(${TOUCH})`,
  `\`${TOUCH}\``,
  `"; ${TOUCH}; "`,
  `'; ${TOUCH}; '`,
  `"$(${TOUCH})"`,
  `'$(${TOUCH})'`,
  `\\"; ${TOUCH}; \\"`,
  `\\'; ${TOUCH}; \\'`,
  `\\\\"; ${TOUCH}; #`,
  `\\$(${TOUCH})`,
  `\\\`${TOUCH}\\\``,
  `\n${TOUCH}\n`,
  `\r\n${TOUCH}\r\n`,
  `" \nRUN ${TOUCH}\n`,
  `" \\\n && ${TOUCH} "`,
  `\${IFS:+$(${TOUCH})}`,
  `\${x:-\`${TOUCH}\`}`,
  `a=b; ${TOUCH} #`,
  `' && ${TOUCH} && '`,
  `EOF\n${TOUCH}\nEOF`,
  `<<EOF\n${TOUCH}\nEOF`,
  `| ${TOUCH}`,
  `& ${TOUCH} &`,
  `> /pwned`,
  `%s%n$(${TOUCH})\\`,
];

describeBuilders((builder) => {
  const { engine } = builder;
  const scene = openScene();

  test("no value of an option and no text about a Feature runs anything", async () => {
    const options = Object.fromEntries(HOSTILE.map((text, index) => [`o${index}`, text]));
    const folder = scene.workspace({
      ...devcontainerJson({
        image: "debian:bookworm-slim",
        features: { "./sink": options },
        name: `$(${TOUCH})`,
        postCreateCommand: HOSTILE.join(""),
        customizations: { [`$(${TOUCH})"\\`]: HOSTILE },
      }),
      ...localFeature("sink", 'printf "%s\\0" "$O0" "$O3" "$O11" "$O24" "$DECLARED" >/values', {
        name: HOSTILE.join(" "),
        description: HOSTILE.join(" "),
        version: "1.0.0",
        documentationURL: `https://example.com/'$(${TOUCH})"\``,
        options: { declared: { type: "string", default: HOSTILE.join("") } },
        customizations: { a: HOSTILE },
        entrypoint: `/x; ${TOUCH}`,
      }),
    });
    const image = imageOf(await scene.build(builder, folder));
    const found = await runInImage(engine, image, "ls -d /pwned /tmp/pwned 2>/dev/null; cat /values");
    expect(found.split("\0")).toEqual(
      [HOSTILE[0], HOSTILE[3], HOSTILE[11], HOSTILE[24], HOSTILE.join(""), ""].map(String),
    );
    const label = JSON.parse((await inspectImage(engine, image)).Labels["devcontainer.metadata"] ?? "");
    expect(label[0].customizations.a).toEqual(HOSTILE);
    expect(label[1].postCreateCommand).toBe(HOSTILE.join(""));
  });

  test("variables and labels arrive as they are, or are refused where no instruction can hold them", async () => {
    const alone = HOSTILE.filter((text) => !/[\r\n]/.test(text));
    // A step for each takes its time, but BuildKit.
    const oneLine =
      builder.kind === "BuildKit" ? alone : [alone.join(""), alone.toReversed().join(" "), alone[8] ?? ""];
    const variables = Object.fromEntries(oneLine.map((text, index) => [`V${index}`, text]));
    const folder = scene.workspace({
      ...devcontainerJson({ image: "debian:bookworm-slim", features: { "./env": {} }, containerEnv: variables }),
      ...localFeature("env", "true", {
        containerEnv: Object.fromEntries(oneLine.map((text, index) => [`F${index}`, text.replaceAll("$", "")])),
      }),
    });
    const labels = oneLine.flatMap((text, index) => ["--label", `l${index}=${text}`]);
    const image = imageOf(await scene.build(builder, folder, { args: labels }));
    const { Env, Labels } = await inspectImage(engine, image);
    expect(Env).toEqual(
      expect.arrayContaining(
        oneLine.flatMap((text, index) => [`V${index}=${text}`, `F${index}=${text.replaceAll("$", "")}`]),
      ),
    );
    expect(Labels).toMatchObject(Object.fromEntries(oneLine.map((text, index) => [`l${index}`, text])));
    expect(await runInImage(engine, image, "ls -d /pwned 2>/dev/null; echo none")).toBe("none\n");

    for (const [config, args, what] of [
      [{ containerEnv: { A: `x\nRUN ${TOUCH}` } }, [], "containerEnv.A contains a line break"],
      [{ containerEnv: { [`A=b\nRUN ${TOUCH}\nENV B`]: "x" } }, [], "is not a valid name of an environment variable"],
      [{}, ["--label", `a=b\nRUN ${TOUCH}`], "The label a contains a line break"],
      [{}, ["--label", `a\nRUN ${TOUCH}=b`], "A label's name contains a line break"],
      [{ image: `debian:bookworm-slim\nRUN ${TOUCH}` }, [], "image"],
      [{ image: "debian:bookworm-slim AS x" }, [], "image"],
      [{ image: "-v" }, [], "image"],
      [{ image: "--help" }, [], "image"],
    ] as const) {
      const hostile = scene.workspace({
        ...devcontainerJson({ image: "debian:bookworm-slim", features: { "./env": {} }, ...config }),
        ...localFeature("env", "true"),
      });
      const run = await scene.build(builder, hostile, { args });
      expect(messageOf(run).toLowerCase()).toContain(what.toLowerCase());
      expect(run.stderr).not.toMatch(/STEP|Step|#1/);
    }
  });

  test("a Feature's folder name, user and image name cannot leave their place", async () => {
    for (const [config, args, what] of [
      [{ image: "scratch", features: { "../../outside": {} } }, [], "must be a child of the .devcontainer folder"],
      [
        { image: "scratch", features: { "./env/../../../outside": {} } },
        [],
        "must be a child of the .devcontainer folder",
      ],
      [{ build: { dockerfile: "Dockerfile" } }, ["--image-name", "-x"], ""],
      [{ build: { dockerfile: "Dockerfile", target: "--push" } }, [], 'no build stage "--push"'],
      [{ image: "debian:bookworm-slim" }, ["--image-name", "UPPER case"], ""],
    ] as const) {
      const folder = scene.workspace({
        ...devcontainerJson(config),
        ".devcontainer/Dockerfile": "FROM debian:bookworm-slim\n",
        ...localFeature("env", "true"),
      });
      const run = await scene.build(builder, folder, { args });
      expect(messageOf(run)).toContain(what);
    }
    const folder = scene.workspace({
      ...devcontainerJson({ image: "debian:bookworm-slim", features: { "./a;b $(id)": {} } }),
      ...localFeature("a;b $(id)", "pwd >/where", { id: `x/../../../y;$(${TOUCH})` }),
    });
    const image = imageOf(await scene.build(builder, folder));
    expect(await runInImage(engine, image, "ls -d /pwned 2>/dev/null; cat /where")).toMatch(
      /^\/tmp\/dev-container-features\/[A-Za-z0-9_.-]+\n$/,
    );
  });
});
