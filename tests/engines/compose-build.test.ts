import { expect, test } from "bun:test";
import { basename } from "node:path";
import { runInImage } from "./builders.ts";
import { describeCompose, openComposeScene } from "./compose-scene.ts";
import { BASE_IMAGE } from "./engines.ts";
import { devcontainerJson, inspectImage, localFeature, writeFiles } from "./workspace.ts";

describeCompose((engine) => {
  const scene = openComposeScene(engine);
  const config = { dockerComposeFile: "compose.yml", service: "app" };
  const composeFile = (services: object, others: object = {}) => ({
    ".devcontainer/compose.yml": { json: { services, ...others } },
  });
  const nameOf = (imageName: string | readonly string[] | undefined) => {
    if (typeof imageName === "string") return imageName;
    throw new Error(`not the name of one image: ${JSON.stringify(imageName)}`);
  };

  test("a service with an image is extended under a name that says what is in it, once", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, features: { "./greet": {} } }),
      ...composeFile({ app: { image: BASE_IMAGE } }),
      ...localFeature("greet", "echo hello > /greeting"),
    });
    const first = await scene.cooper("build", folder);
    const image = nameOf(first.outcome.imageName);
    expect(image).toMatch(/^localhost\/cooper\/project\d+-[0-9a-f]+:[0-9a-f]{12}$/);
    expect(await runInImage(engine, image, "cat /greeting")).toBe("hello\n");
    const again = await scene.cooper("build", folder);
    expect(again.outcome).toEqual(first.outcome);
    expect(again.stderr).toContain("Nothing changed");
  });

  test("a service with a build is built by its own words, under Compose's own name", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, features: { "./greet": {} } }),
      ...composeFile({
        app: {
          build: { context: "..", dockerfile: ".devcontainer/Dockerfile", target: "dev", args: { WORD: "a$$b 'c'" } },
        },
      }),
      ...localFeature("greet", 'echo "for $_REMOTE_USER" > /greeting', { containerEnv: { FROM_FEATURE: "yes" } }),
      ".devcontainer/Dockerfile": [
        `FROM ${BASE_IMAGE} AS dev`,
        "ARG WORD",
        "COPY file /copied",
        'RUN printf %s "$WORD" > /word && useradd -m someone',
        "USER someone",
        "FROM scratch",
      ].join("\n"),
      file: "content\n",
    });
    const { outcome } = await scene.cooper("build", folder);
    expect(outcome.imageName).toBe(`${scene.projectOf(folder)}-app`);
    const image = nameOf(outcome.imageName);
    expect(await runInImage(engine, image, "cat /word /copied /greeting")).toBe("a$b 'c'content\nfor someone\n");
    expect(await inspectImage(engine, image)).toMatchObject({ User: "someone" });
  });

  test("the name is what the reference CLI calls it, in the same JSON", async () => {
    const dockerfile = { ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\n` };
    const own = scene.imageName(engine, "own");
    for (const app of [{ build: "." }, { image: own, build: { context: "." } }]) {
      const folder = scene.workspace({ ...devcontainerJson(config), ...composeFile({ app }), ...dockerfile });
      const ours = await scene.cooper("build", folder);
      const theirs = await scene.reference("build", folder);
      expect(typeof ours.outcome.imageName).toBe("string");
      expect(ours.outcome.imageName).toBe(theirs.outcome.imageName ?? theirs.stderr);
    }
  });

  test("names that were asked for are a list, as in the reference CLI", async () => {
    const folder = scene.workspace({ ...devcontainerJson(config), ...composeFile({ app: { image: BASE_IMAGE } }) });
    const names = [scene.imageName(engine, "one"), scene.imageName(engine, "two")];
    const args = names.flatMap((name) => ["--image-name", name]);
    const ours = await scene.cooper("build", folder, { args });
    const theirs = await scene.reference("build", folder, { args });
    expect(ours.outcome.imageName).toEqual(names);
    expect(theirs.outcome.imageName).toEqual(names);
  });

  test("secrets, contexts, hosts, labels and further names of a build arrive", async () => {
    const tag = scene.imageName(engine, "further");
    const folder = scene.workspace({
      ...devcontainerJson(config),
      ...composeFile(
        {
          app: {
            build: {
              context: ".",
              dockerfile_inline: [
                "FROM base AS dev",
                "COPY --from=files hello /hello",
                "RUN --mount=type=secret,id=file cat /run/secrets/file > /secrets",
                "RUN --mount=type=secret,id=renamed cat /run/secrets/renamed >> /secrets",
                "RUN grep a.host.test /etc/hosts > /hosts",
              ].join("\n"),
              additional_contexts: { base: `docker-image://${BASE_IMAGE}`, files: "./files" },
              secrets: ["file", { source: "variable", target: "renamed" }],
              extra_hosts: ["a.host.test=10.1.2.3"],
              labels: { "test.label": "a $$b" },
              tags: [tag],
            },
          },
        },
        { secrets: { file: { file: "./secret" }, variable: { environment: "COMPOSE_TEST_SECRET" } } },
      ),
      ".devcontainer/files/hello": "hello\n",
      ".devcontainer/secret": "of a file\n",
    });
    const options = { env: { COMPOSE_TEST_SECRET: "of a variable" } };
    const { outcome } = await scene.cooper("build", folder, options);
    expect(outcome.imageName).toBe(`${scene.projectOf(folder)}-app`);
    expect(await runInImage(engine, tag, "cat /hello /secrets; cut -f1 /hosts")).toBe(
      "hello\nof a file\nof a variable10.1.2.3\n",
    );
    expect((await inspectImage(engine, tag)).Labels).toMatchObject({ "test.label": "a $b" });

    expect((await scene.cooper("build", folder, options)).stderr).toContain("Nothing changed");
    writeFiles(folder, { ".devcontainer/files/hello": "changed\n" });
    expect((await scene.cooper("build", folder, options)).stderr).not.toContain("Nothing changed");
    expect(await runInImage(engine, tag, "cat /hello")).toBe("changed\n");
  });

  test("later files override earlier ones, and variables come from the project's .env", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, dockerComposeFile: ["../compose.yml", "more.yml"] }),
      "compose.yml": {
        json: { services: { app: { build: { dockerfile_inline: "FROM nothing.test/at/all", args: { A: "1" } } } } },
      },
      ".devcontainer/more.yml": {
        json: {
          services: {
            app: {
              build: { dockerfile_inline: "FROM ${BASE}\nARG A\nARG B\nRUN echo $$A$$B > /args", args: { B: "2" } },
            },
          },
        },
      },
      ".env": `BASE=${BASE_IMAGE}\n`,
    });
    const { outcome } = await scene.cooper("build", folder);
    // The project is that of the first file's folder.
    expect(outcome.imageName).toBe(`${basename(folder)}-app`);
    expect(await runInImage(engine, nameOf(outcome.imageName), "cat /args")).toBe("12\n");
  });

  test.each([
    [["--platform", "linux/amd64"]],
    [["--push", "true", "--image-name", "localhost/never:1"]],
    [["--output", "type=oci,dest=/tmp/never.tar"]],
    [["--cache-to", "type=inline"]],
    [["--push", "true", "--output", "type=oci,dest=/tmp/never.tar"]],
    [["--platform", "linux/amd64", "--buildkit", "never"]],
  ])("%p is refused in the reference CLI's words", async (args) => {
    const folder = scene.workspace({ ...devcontainerJson(config), ...composeFile({ app: { image: BASE_IMAGE } }) });
    const [ours, theirs] = await Promise.all([
      scene.cooper("build", folder, { args }),
      scene.reference("build", folder, { args }),
    ]);
    expect(ours.outcome.outcome).toBe("error");
    expect(ours.outcome.message).toBe(theirs.outcome.message ?? "none");
    expect(ours.exitCode).toBe(theirs.exitCode);
  });

  test("a service that is not there is refused in the reference CLI's words, and the nearest is named", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, service: "ap" }),
      ...composeFile({ app: { image: BASE_IMAGE } }),
    });
    const [ours, theirs] = await Promise.all([scene.cooper("build", folder), scene.reference("build", folder)]);
    expect(ours.outcome).toEqual(theirs.outcome);
    expect(ours.stderr).toContain('Did you mean "app"?');
  });

  test("a project that Compose refuses is told in Compose's words", async () => {
    const folder = scene.workspace({ ...devcontainerJson(config), ...composeFile({ app: { imag: BASE_IMAGE } }) });
    const [ours, theirs] = await Promise.all([scene.cooper("build", folder), scene.reference("build", folder)]);
    expect(ours.outcome.description).toBe("An error occurred retrieving the Docker Compose configuration.");
    expect(ours.outcome.description).toBe(theirs.outcome.description ?? "none");
    expect(ours.outcome.message).toContain("Additional property imag is not allowed");
  });

  test("a file that is not there is named", async () => {
    const folder = scene.workspace(devcontainerJson(config));
    const { outcome, stderr } = await scene.cooper("build", folder);
    expect(outcome.description).toBe("An error occurred retrieving the Docker Compose configuration.");
    expect(stderr).toContain(`There is no ${folder}/.devcontainer/compose.yml: check "dockerComposeFile"`);
  });
});
