import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { describeBuilders } from "./builders.ts";
import { BASE_IMAGE } from "./engines.ts";
import {
  devcontainerJson,
  hasImage,
  leftoverBuilds,
  leftoverContentImages,
  localFeature,
  messageOf,
  openScene,
} from "./workspace.ts";

const DOCUMENTATION = "https://example.com/docs/broken";

describeBuilders((builder) => {
  const { engine, kind } = builder;
  const scene = openScene();
  const broken = localFeature(
    "broken",
    'echo "exit code: 3"\necho "#1 [internal] not a step"\necho "#1 DONE 0.0s"\nfor n in $(seq 50); do echo "line $n"; done\necho "the last words of $WORD"\nexit 42',
    { name: "Broken thing", version: "4.5.6", documentationURL: DOCUMENTATION, options: { word: { type: "string" } } },
  );

  for (const source of ["an image", "a Dockerfile"]) {
    test(`a Feature that fails on top of ${source} is named, with its end, its exit code and its documentation`, async () => {
      const config = source === "an image" ? { image: BASE_IMAGE } : { build: { dockerfile: "Dockerfile" } };
      const folder = scene.workspace({
        ...devcontainerJson({ ...config, features: { "./fine": {}, "./broken": { word: "some word" } } }),
        ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRUN true\n`,
        ...localFeature("fine", "echo fine"),
        ...broken,
      });
      const home = scene.directory("home");
      const name = scene.imageName(engine, "broken");
      const run = await scene.build(builder, folder, { args: ["--image-name", name, "--log-level", "debug"], home });
      const message = messageOf(run);
      expect(run.exitCode).toBe(1);
      expect(message).toStartWith(
        'Feature "Broken thing" (./broken, version 4.5.6) failed to install with exit code 42:\n',
      );
      expect(message).toContain("\n  line 50\n");
      expect(message).toContain("the last words of some word");
      expect(message).toContain(DOCUMENTATION);
      expect(message).toContain("\nCommand failed: ");
      expect(message.split("\n").length).toBeLessThan(30);
      expect(run.outcome).toMatchObject({ description: "An error occurred building the container." });
      expect(run.stderr).toContain(message.split("\n")[0] ?? "");
      expect(run.stderr).not.toContain("This is a bug");
      expect(await hasImage(engine, name)).toBe(false);
      expect(leftoverBuilds(home)).toEqual([]);
      expect(await leftoverContentImages(engine, run)).toEqual([]);
    });
  }

  test("a step of the user's Dockerfile that fails is named", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ build: { dockerfile: "Dockerfile" }, features: { "./broken": {} } }),
      ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRUN echo some words && exit 7\n`,
      ...broken,
    });
    const home = scene.directory("home");
    const run = await scene.build(builder, folder, { home, args: ["--log-level", "debug"] });
    const message = messageOf(run);
    expect(message).toMatch(/^The build failed at: .*RUN echo some words && exit 7\n/);
    expect(message).toContain("\n  some words\n");
    expect(message).not.toContain("Broken thing");
    expect(leftoverBuilds(home)).toEqual([]);
    expect(await leftoverContentImages(engine, run)).toEqual([]);
  });

  test("an instruction that the builder does not know is an error in the builder's words", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ build: { dockerfile: "Dockerfile", options: ["--no-such-option"] } }),
      ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRAN true\n`,
    });
    const option = messageOf(await scene.build(builder, folder));
    expect(option).toContain("--no-such-option");
    const instruction = messageOf(
      await scene.build(
        builder,
        scene.workspace({
          ...devcontainerJson({ build: { dockerfile: "Dockerfile" } }),
          ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRAN true\n`,
        }),
      ),
    );
    expect(instruction).toMatch(/unknown instruction: "?RAN/i);
    expect(instruction).not.toStartWith("The build failed at: building with");
  });

  test("a Feature's file that cannot be read and a script that is no script are errors too", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ image: BASE_IMAGE, features: { "./odd": {} } }),
      ...localFeature("odd", "true"),
      ".devcontainer/odd/install.sh": "#!/no/such/interpreter\n",
    });
    const message = messageOf(await scene.build(builder, folder));
    expect(message).toMatch(/^Feature "odd" \(\.\/odd, version 1\.0\.0\) failed to install with exit code 12[67]:/);
    expect(readdirSync(folder)).toEqual([".devcontainer"]);
  });

  if (kind === "BuildKit") {
    test("the step that failed is named, not one that was cancelled with it", async () => {
      const folder = scene.workspace({
        ...devcontainerJson({ build: { dockerfile: "Dockerfile" } }),
        ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE} AS slow
RUN echo noise && sleep 30 && touch /slow
FROM ${BASE_IMAGE} AS fast
RUN sleep 1 && exit 9
FROM ${BASE_IMAGE}
COPY --from=fast / /a
COPY --from=slow /slow /b
`,
      });
      const message = messageOf(await scene.build(builder, folder));
      expect(message).toMatch(/^The build failed at: .*RUN sleep 1 && exit 9/);
    });
  }
});
