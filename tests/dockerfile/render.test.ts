import { expect, test } from "bun:test";
import type { ContentDelivery } from "../../src/dockerfile/content-delivery.ts";
import { renderDockerfile } from "../../src/dockerfile/render.ts";
import type { BuildPlan, BuildStep, DockerfileSource } from "../../src/plan/build-plan.ts";

const BASE = { reference: "debian:bookworm-slim", digest: "sha256:aa", platform: "linux/amd64" };
const NAMED: ContentDelivery = { kind: "named-context", mount: true };
const HELLO: BuildStep = {
  kind: "feature",
  folder: "hello_0",
  reference: "./hello",
  digest: "sha256:bb",
  id: "hello",
  name: "Hello",
  description: null,
  version: "1.0.0",
  documentationUrl: null,
  warnings: [],
  options: [],
  containerEnv: { HELLO_PATH: '/opt/"hello":$PATH' },
};

function planOf(steps: readonly BuildStep[], source: BuildPlan["source"] = { kind: "image", base: BASE }): BuildPlan {
  return {
    version: 1,
    source,
    platforms: [],
    users: { image: "vscode", container: "vscode", remote: "vscode" },
    steps,
  };
}

function dockerfileSource(text: string, overrides: Partial<DockerfileSource> = {}): DockerfileSource {
  return {
    kind: "dockerfile",
    base: BASE,
    text,
    stage: "app",
    escapeWith: "\\",
    contextDigest: "",
    buildArgs: {},
    options: [],
    images: {},
    ...overrides,
  };
}

test("an image without Features gets labels and nothing else", () => {
  const plan = planOf([
    { kind: "metadata", entries: [{ remoteUser: "vscode" }, { init: true }] },
    { kind: "label", labels: { "org.example": "a b" } },
  ]);
  expect(renderDockerfile(plan, "f00d", NAMED)).toBe(
    `FROM debian:bookworm-slim AS dev_containers_target_stage
LABEL devcontainer.metadata="[ \\
{\\"remoteUser\\":\\"vscode\\"}, \\
{\\"init\\":true} \\
]"
LABEL "org.example"="a b"
LABEL dev.cooper.plan="f00d"
`,
  );
});

test("with named contexts a Feature is mounted, installed as root and the user restored", () => {
  expect(renderDockerfile(planOf([HELLO]), "f00d", NAMED)).toBe(
    `FROM debian:bookworm-slim AS dev_containers_target_stage
USER root
ENV HELLO_PATH="/opt/\\"hello\\":$PATH"
RUN --mount=type=bind,from=dev_containers_feature_content_source,source=/hello_0,target=/build-features-src-hello_0-d5c20b894f48 \\
    mkdir -p /tmp/dev-container-features \\
 && cp -R /build-features-src-hello_0-d5c20b894f48 /tmp/dev-container-features/hello_0 \\
 && cd /tmp/dev-container-features/hello_0 \\
 && chmod -R 0755 . \\
 && ./devcontainer-features-install.sh \\
 && cd / \\
 && rm -rf /tmp/dev-container-features
USER vscode
LABEL dev.cooper.plan="f00d"
`,
  );
});

test("a builder without named contexts mounts the Feature from the main context", () => {
  const text = renderDockerfile(planOf([HELLO]), "f00d", { kind: "main-context", mount: true });
  expect(text).toContain("RUN --mount=type=bind,source=/hello_0,target=");
});

test("the classic builder copies the Feature from the main context, with no mount", () => {
  const text = renderDockerfile(planOf([HELLO]), "f00d", { kind: "main-context", mount: false });
  expect(text).toContain(
    "COPY --chown=root:root hello_0 /tmp/dev-container-features/hello_0/\nRUN cd /tmp/dev-container-features/hello_0",
  );
  expect(text).not.toContain("--mount");
});

test("a user's Dockerfile stays as it is, with the Feature stages after it", () => {
  const user = "# syntax=docker/dockerfile:1\nFROM debian AS app\nRUN <<EOF\nFROM nothing\nEOF\n";
  const text = renderDockerfile(planOf([HELLO], dockerfileSource(user)), "f00d", NAMED);
  expect(text).toStartWith(`${user}\nFROM app AS dev_containers_target_stage\nUSER root\n`);
});

test("without named contexts a Dockerfile's Features come from an image of their own", () => {
  const plan = planOf([HELLO], dockerfileSource("FROM debian AS app\n"));
  const text = renderDockerfile(plan, "f00d", { kind: "content-image", mount: false, image: "localhost/content:1" });
  expect(text).toContain(
    "FROM localhost/content:1 AS dev_containers_feature_content_source\nFROM app AS dev_containers_target_stage",
  );
  expect(text).toContain(
    "COPY --chown=root:root --from=dev_containers_feature_content_source /hello_0 /tmp/dev-container-features/hello_0/",
  );
});

test("text after a Dockerfile that escapes with a backtick goes on with it, and escapes no value", () => {
  const plan = planOf(
    [HELLO, { kind: "env", variables: { A: `x"$y\`z\\'` } }],
    dockerfileSource("# escape=`\nFROM debian AS app\n", { escapeWith: "`" }),
  );
  const text = renderDockerfile(plan, "f00d", NAMED);
  expect(text).toContain(`ENV A='x"$y\`z\\'"'"''`);
  expect(text).toContain("mkdir -p /tmp/dev-container-features `\n && cp");
});

test("values cannot smuggle an instruction into the Dockerfile", () => {
  const smuggled = 'x"\nRUN touch /pwned\n#';
  for (const step of [
    { kind: "env", variables: { A: smuggled } },
    { kind: "env", variables: { [smuggled]: "x" } },
    { kind: "label", labels: { A: smuggled } },
    { kind: "label", labels: { [smuggled]: "x" } },
    { ...HELLO, containerEnv: { A: smuggled } },
    { ...HELLO, containerEnv: { [smuggled]: "x" } },
    { ...HELLO, folder: smuggled },
  ] satisfies BuildStep[]) {
    expect(() => renderDockerfile(planOf([step]), "f00d", NAMED)).toThrow(/line break|not a valid name|plain name/);
  }
  expect(() =>
    renderDockerfile({ ...planOf([HELLO]), users: { image: smuggled, container: "", remote: "" } }, "f00d", NAMED),
  ).toThrow("cannot be named in a USER instruction");
});

test("metadata with line breaks, quotes and dollars stays on its line", () => {
  const text = renderDockerfile(planOf([{ kind: "metadata", entries: [{ id: 'a\nb"$c\\' }] }]), "f00d", NAMED);
  expect(text.split("\n")[2]).toBe('{\\"id\\":\\"a\\\\nb\\\\\\"\\$c\\\\\\\\\\"} \\');
});

test("a continuation on the last line of a user's Dockerfile does not swallow what follows", () => {
  for (const [ending, closed] of [
    ["RUN true \\\n", "RUN true"],
    ["RUN true \\ \n  # why\n\n", "RUN true \n  # why"],
    ["RUN echo \\\\\n", "RUN echo \\\\"],
  ]) {
    const text = renderDockerfile(planOf([], dockerfileSource(`FROM debian AS app\n${ending}`)), "f00d", NAMED);
    expect(text).toMatch(new RegExp(`^FROM debian AS app\\n${RegExp.escape(closed ?? "")} ?\\n\\nFROM app AS`));
  }
});

test("a Feature's step reads otherwise when its content, options or users are others", () => {
  const users = { image: "vscode", container: "vscode", remote: "root" };
  const plans = [
    planOf([HELLO]),
    planOf([{ ...HELLO, digest: "sha256:cc" }]),
    planOf([{ ...HELLO, options: [["GREETING", "hi"]] }]),
    { ...planOf([HELLO]), users },
  ];
  const steps = plans.map((plan) => /^RUN .*$/m.exec(renderDockerfile(plan, "f00d", NAMED))?.[0]);
  expect(new Set(steps).size).toBe(plans.length);
});

test("the remote user's ids change as root, after the Features and in their pair of USER lines", () => {
  const ids: BuildStep = { kind: "user-ids", user: "vscode", uid: 501, gid: 20 };
  const text = renderDockerfile(planOf([HELLO, ids, { kind: "env", variables: { A: "1" } }]), "f00d", NAMED);
  const instructions = text.split("\n").filter((line) => /^[A-Z]/.test(line));
  expect(instructions.map((line) => line.split(/[ =]/).slice(0, 2).join(" "))).toEqual([
    "FROM debian:bookworm-slim",
    "USER root",
    "ENV HELLO_PATH",
    "RUN --mount",
    "RUN set",
    "USER vscode",
    "ENV A",
    "LABEL dev.cooper.plan",
  ]);
  expect(
    renderDockerfile(planOf([ids]), "f00d", NAMED),
  ).toStartWith(`FROM debian:bookworm-slim AS dev_containers_target_stage
USER root
RUN set -e; \\
    user='vscode'; \\
    uid=501; \\
    gid=20; \\
`);
});

test("the script of the ids is continued with the user's escape character", () => {
  const source = dockerfileSource("# escape=`\nFROM debian AS app\n", { escapeWith: "`" });
  const text = renderDockerfile(
    planOf([{ kind: "user-ids", user: "vscode", uid: 501, gid: 20 }], source),
    "f00d",
    NAMED,
  );
  expect(text).toContain("RUN set -e; `\n    user='vscode'; `\n");
  expect(text).not.toMatch(/\\\n/);
});

const COPY: BuildStep = {
  kind: "copy",
  folder: "agent",
  title: "opencode 1.2.3",
  entries: [
    {
      path: "/usr/local/bin/opencode",
      uid: 0,
      gid: 0,
      content: { kind: "file", name: "opencode", digest: "sha256:cc", mode: 0o755 },
    },
    {
      path: "/etc/passwd",
      uid: 0,
      gid: 0,
      content: { kind: "text", text: "root:x:0:0::/root:/bin/sh\n", mode: 0o644 },
    },
    { path: "/home/ada", uid: 1000, gid: 1000, content: { kind: "directory" } },
  ],
};

test("copied files come from the host's own folder, texts and folders from the build's content, each with its owner", () => {
  const config: BuildStep = { kind: "config", entrypoint: [], command: ["opencode"], workingDirectory: "/work" };
  expect(renderDockerfile(planOf([COPY, config]), "f00d", NAMED)).toBe(
    `FROM debian:bookworm-slim AS dev_containers_target_stage
USER root
COPY --from=cooper_files_agent --chown=0:0 /opencode /usr/local/bin/opencode
COPY --from=dev_containers_feature_content_source --chown=0:0 /agent/1 /etc/passwd
COPY --from=dev_containers_feature_content_source --chown=1000:1000 /agent/2/ /home/ada/
USER vscode
WORKDIR /work
ENTRYPOINT []
CMD ["opencode"]
LABEL dev.cooper.plan="f00d"
`,
  );
});

test("without named contexts everything that is copied comes from the one context", () => {
  const text = renderDockerfile(planOf([COPY]), "f00d", { kind: "main-context", mount: false });
  expect(text.match(/COPY .*/g)).toEqual([
    "COPY --chown=0:0 agent/0 /usr/local/bin/opencode",
    "COPY --chown=0:0 agent/1 /etc/passwd",
    "COPY --chown=1000:1000 agent/2/ /home/ada/",
  ]);
});

test("what runs is the shell's one argument, packages leave no lists, and a variable in between is set before what follows", () => {
  const text = renderDockerfile(
    planOf([
      { kind: "packages", manager: "apk", packages: ["libgcc", "libstdc++"] },
      { kind: "env", variables: { A: "1" } },
      { kind: "run", title: "install", command: 'echo "<<X" && true' },
      { kind: "context", digest: "sha256:dd", target: "/workspace" },
    ]),
    "f00d",
    NAMED,
  );
  expect(text.split("\n").slice(1, -2)).toEqual([
    "USER root",
    "RUN apk add --no-cache libgcc libstdc++",
    'ENV A="1"',
    String.raw`RUN ["/bin/sh","-c","echo \"\u003c\u003cX\" && true"]`,
    "COPY . /workspace",
    "USER vscode",
  ]);
});

test.each(["etc/passwd", "/a b", "/a$HOME", "/a\nRUN x"])(
  "a path that an instruction cannot hold is refused: %j",
  (path) => {
    const entry = { path, uid: 0, gid: 0, content: { kind: "directory" } } as const;
    expect(() => renderDockerfile(planOf([{ ...COPY, entries: [entry] }]), "f00d", NAMED)).toThrow("cannot be written");
  },
);
