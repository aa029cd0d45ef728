import { expect, test } from "bun:test";
import { renderOverrideFile } from "../../src/compose/override-file.ts";
import type { ContainerSpec } from "../../src/plan/container-spec.ts";

const PLAIN: ContainerSpec = {
  image: "localhost/cooper/app:0123456789ab",
  publish: [],
  mounts: [],
  externalVolumes: [],
  labels: [],
  env: {},
  user: undefined,
  engineArgs: [],
  runArgs: [],
  gpus: false,
  init: false,
  privileged: false,
  capAdd: [],
  securityOpt: [],
  entrypoints: [],
  command: [],
  metadataLabel: undefined,
};

const render = (spec: Partial<ContainerSpec>, image?: string) =>
  renderOverrideFile({ name: "app", image }, { ...PLAIN, ...spec });

test("a container with nothing of its own has its image, the start script and no command", () => {
  expect(render({})).toBe(`{
  "services": {
    "app": {
      "image": "localhost/cooper/app:0123456789ab",
      "pull_policy": "never",
      "entrypoint": [
        "/bin/sh",
        "-c",
        "trap \\"exit 0\\" 15\\necho Container started\\nexec \\"$$@\\"\\nwhile sleep 1 & wait $$!; do :; done",
        "-"
      ],
      "command": []
    }
  }
}
`);
});

test("everything that a container can have is in Compose's words", () => {
  const text = render({
    mounts: [
      "type=bind,source=/a,target=/b",
      "type=volume,source=data,target=/data",
      "type=volume,source=old,target=/old",
    ],
    externalVolumes: ["old"],
    labels: [["devcontainer.local_folder", "/work/app"]],
    env: { GREETING: "hello" },
    user: "dev",
    gpus: true,
    init: true,
    privileged: true,
    capAdd: ["SYS_PTRACE"],
    securityOpt: ["seccomp=unconfined"],
    entrypoints: ["/usr/local/share/start.sh"],
    command: ["docker-entrypoint.sh", "server"],
    metadataLabel: '[{"remoteUser":"dev"}]',
  });
  expect(text).toBe(`{
  "services": {
    "app": {
      "image": "localhost/cooper/app:0123456789ab",
      "pull_policy": "never",
      "entrypoint": [
        "/bin/sh",
        "-c",
        "trap \\"exit 0\\" 15\\necho Container started\\n/usr/local/share/start.sh\\nexec \\"$$@\\"\\nwhile sleep 1 & wait $$!; do :; done",
        "-",
        "docker-entrypoint.sh",
        "server"
      ],
      "command": [],
      "init": true,
      "user": "dev",
      "environment": {
        "GREETING": "hello"
      },
      "privileged": true,
      "cap_add": [
        "SYS_PTRACE"
      ],
      "security_opt": [
        "seccomp=unconfined"
      ],
      "labels": {
        "devcontainer.local_folder": "/work/app",
        "devcontainer.metadata": "[{\\"remoteUser\\":\\"dev\\"}]"
      },
      "volumes": [
        {
          "type": "bind",
          "source": "/a",
          "target": "/b",
          "bind": {
            "create_host_path": true
          }
        },
        {
          "type": "volume",
          "source": "data",
          "target": "/data"
        },
        {
          "type": "volume",
          "source": "old",
          "target": "/old"
        }
      ],
      "deploy": {
        "resources": {
          "reservations": {
            "devices": [
              {
                "capabilities": [
                  "gpu"
                ]
              }
            ]
          }
        }
      }
    }
  },
  "volumes": {
    "data": {},
    "old": {
      "external": true
    }
  }
}
`);
});

test("the image that the service names itself is left to the service", () => {
  const text = render({ image: "debian:12" }, "debian:12");
  expect(text).not.toContain("debian:12");
  expect(text).not.toContain("pull_policy");
  expect(render({}, "debian:12")).toContain('"image": "localhost/cooper/app:0123456789ab"');
});

test("what Podman needs on this host is said in Compose's words", () => {
  const file = JSON.parse(
    render({ engineArgs: ["--security-opt", "label=disable", "--userns=keep-id"], securityOpt: ["a=b"] }),
  );
  expect(file.services.app).toMatchObject({ security_opt: ["label=disable", "a=b"], userns_mode: "keep-id" });
});

test("nothing in a value is read as a variable, and nothing leaves its string", () => {
  const hostile =
    "a ${HOME} $$ $(id) `id`\n\"quote\" 'single' \\ # : - !reset &x *x {}[] \u0000\u0007\u007f\u0085\u2028\ufeff";
  const text = render({ env: { X: hostile }, labels: [["x: y\n- z", hostile]], command: [hostile] });
  expect([...text].every((character) => character === "\n" || /[\x20-\x7e]/.test(character))).toBe(true);
  const { app } = JSON.parse(text).services;
  const doubled = hostile.replaceAll("$", "$$$$");
  expect(app.environment.X).toBe(doubled);
  expect(app.labels["x: y\n- z"]).toBe(doubled);
  expect(app.entrypoint.at(-1)).toBe(doubled);
});
