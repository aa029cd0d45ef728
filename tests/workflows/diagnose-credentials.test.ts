import { expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { inspectCredentials } from "../../src/workflows/diagnose-credentials.ts";
import { withHome } from "./diagnose-tools.ts";

const SECRET = "hunter2";

test("docker's and podman's files are read for names, and no secret comes with them", async () => {
  const files = {
    ".docker/config.json": `{"auths":{"ghcr.io":{"auth":"${SECRET}"}},"credsStore":"here","credHelpers":{"ecr.test":"gone"}}`,
    ".config/containers/auth.json": `{"auths":{"quay.io":{"auth":"${SECRET}"}}}`,
    "bin/docker-credential-here": "#!/bin/sh\n",
  };
  await withHome(files, async (home, toolsWith) => {
    const facts = await inspectCredentials(
      toolsWith({
        PATH: join(home, "bin"),
        XDG_RUNTIME_DIR: join(home, "run"),
        GITHUB_TOKEN: SECRET,
        DEVCONTAINERS_OCI_AUTH: `a.test|ada|${SECRET},${SECRET}`,
      }),
    );
    expect(facts.files).toEqual([
      {
        path: join(home, ".docker/config.json"),
        state: {
          kind: "read",
          names: {
            registries: ["ghcr.io"],
            helpers: [
              { registry: null, program: "docker-credential-here" },
              { registry: "ecr.test", program: "docker-credential-gone" },
            ],
          },
        },
      },
      { path: join(home, "run/containers/auth.json"), state: { kind: "absent" } },
      {
        path: join(home, ".config/containers/auth.json"),
        state: { kind: "read", names: { registries: ["quay.io"], helpers: [] } },
      },
    ]);
    expect([...facts.missingPrograms]).toEqual(["docker-credential-gone"]);
    expect(facts.environment).toEqual({ ociAuth: ["a.test"], malformedOciAuth: [2], githubToken: true });
    expect(JSON.stringify(facts)).not.toContain(SECRET);
  });
});

test("DOCKER_CONFIG and REGISTRY_AUTH_FILE say where else the files are", async () => {
  await withHome({ "podman.json": "{", "conf/other": "" }, async (home, toolsWith) => {
    const environment = { DOCKER_CONFIG: join(home, "conf"), REGISTRY_AUTH_FILE: join(home, "podman.json") };
    const facts = await inspectCredentials(toolsWith(environment));
    expect(facts.files).toEqual([
      { path: join(home, "conf/config.json"), state: { kind: "absent" } },
      { path: join(home, "podman.json"), state: { kind: "broken", position: "1:2" } },
    ]);
    expect(facts.promisedFile).toBe(join(home, "conf/config.json"));
  });
});

test("a token for another GitHub says nothing about ghcr.io", async () => {
  await withHome({}, async (_home, toolsWith) => {
    const facts = await inspectCredentials(toolsWith({ GITHUB_TOKEN: SECRET, GITHUB_HOST: "github.acme" }));
    expect(facts.environment.githubToken).toBe(false);
  });
});

test("a directory in the file's place cannot be read", async () => {
  await withHome({ ".docker/config.json/x": "" }, async (home, toolsWith) => {
    await chmod(join(home, ".docker"), 0o755);
    const [file] = (await inspectCredentials(toolsWith({}))).files;
    expect(file?.state).toEqual({ kind: "unreadable", found: "EISDIR" });
  });
});
