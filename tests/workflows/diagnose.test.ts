import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { diagnoseMachine } from "../../src/workflows/diagnose.ts";
import type { Tools } from "../../src/workflows/tools.ts";
import { withHome } from "./diagnose-tools.ts";

// The clients below are fakes: an engine that hangs, breaks or is of a certain age cannot be had on demand. Real engines are
// examined in tests/engines/doctor.test.ts.
const PATIENCE = 60_000;

async function examine(tools: Tools, dockerPath?: string, limitMilliseconds = PATIENCE) {
  const checks = await diagnoseMachine({ dockerPath, backend: "engine", testRun: false, limitMilliseconds }, tools);
  return new Map(checks.map((check) => [check.id, check]));
}

/** A docker that answers `-v` as docker does, and everything else as the script says. */
const client = (script: string) =>
  `#!/bin/sh\ncase "$*" in\n-v) echo "Docker version 26.1.5, build a" ;;\n${script}\nesac\n`;

test("with nothing on PATH, that is the problem", async () => {
  await withHome({}, async (home, toolsWith) => {
    const checks = await examine(toolsWith({ PATH: home }));
    expect(checks.get("engine")).toMatchObject({ status: "problem", detail: "neither docker nor podman is on PATH" });
    expect(checks.has("builder")).toBe(false);
  });
});

test("a client that hangs is given up, and the others are still heard", async () => {
  await withHome({ "bin/docker": "#!/bin/sh\nexec /bin/sleep 600\n" }, async (home, toolsWith) => {
    const checks = await examine(toolsWith({ PATH: join(home, "bin") }), undefined, 100);
    expect(checks.get("engine")).toMatchObject({ status: "problem", detail: "docker did not answer within 0 seconds" });
    expect(checks.get("directories")?.status).toBe("ok");
  });
});

describe("an engine that cannot be reached", () => {
  const refusing = client(
    '*) echo "permission denied while trying to connect to the Docker daemon socket at unix://$SOCKET: x" >&2; exit 1 ;;',
  );

  test("for lack of permission names its socket", async () => {
    await withHome({ "bin/docker": refusing }, async (home, toolsWith) => {
      const socket = join(home, "docker.sock");
      mkdirSync(socket);
      const tools = toolsWith({ PATH: join(home, "bin"), SOCKET: socket });
      expect((await examine(tools)).get("engine")?.detail).toBe(`docker refuses access to ${socket}`);
    });
  });

  test("because it is not running is said so, with what the client said", async () => {
    const stopped = client(
      '*) echo "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?" >&2; exit 1 ;;',
    );
    await withHome({ "bin/docker": stopped }, async (home, toolsWith) => {
      expect((await examine(toolsWith({ PATH: join(home, "bin") }))).get("engine")?.detail).toBe(
        "docker is not running (Cannot connect to the Docker daemon at unix:///x)",
      );
    });
  });
});

describe("an engine that answers", () => {
  const info =
    '{"ServerVersion":"20.10.24","Driver":"overlay2","DockerRootDir":"/","CgroupVersion":"2","SecurityOptions":[]}';
  const old =
    client(`version*json*) echo '{"Client":{"Version":"26.1.5","Context":"default"},"Server":{"Version":"20.10.24"}}' ;;
version*) echo 20.10.24 ;;
info*) echo '${info}' ;;
"buildx version") echo "github.com/docker/buildx v0.13.1 6a1b2c3" ;;
"buildx inspect") printf 'Name: big\\nDriver: docker-container\\n\\nNodes:\\nName: big0\\nStatus: running\\n' ;;
"context inspect"*) echo "$WHERE" ;;`);

  test("is described from its own answers", async () => {
    await withHome({ "bin/docker": old }, async (home, toolsWith) => {
      const checks = await examine(toolsWith({ PATH: join(home, "bin"), WHERE: "unix:///var/run/docker.sock" }));
      expect(checks.get("engine")?.detail).toBe("docker 26.1.5, engine 20.10.24, found on PATH");
      expect(checks.get("builder")).toMatchObject({
        status: "warning",
        detail: expect.stringContaining("BuildKit through buildx 0.13.1, builder big (docker-container, running);"),
      });
      expect(checks.get("storage")?.detail).toBe("overlay2");
      expect(checks.get("disk-images")?.detail).toEndWith(" free at /");
    });
  });

  test("on another machine has no disk here", async () => {
    await withHome({ "bin/docker": old }, async (home, toolsWith) => {
      const tools = toolsWith({ PATH: join(home, "bin"), WHERE: "ssh://ada@build" });
      expect((await examine(tools)).has("disk-images")).toBe(false);
    });
  });

  test("is chosen by flag before environment before configuration", async () => {
    const files = {
      "bin/docker": old,
      "other/docker": old,
      "config/cooper/config.jsonc": '{ "docker_path": "docker" }',
    };
    await withHome(files, async (home, toolsWith) => {
      const environment = { PATH: join(home, "bin"), XDG_CONFIG_HOME: join(home, "config") };
      const reason = async (tools: Tools, flag?: string) =>
        (await examine(tools, flag)).get("engine")?.detail.split(", ").at(-1);
      expect(await reason(toolsWith(environment))).toBe("named by docker_path in the user's configuration");
      const named = toolsWith({ ...environment, COOPER_DOCKER_PATH: join(home, "other/docker") });
      expect(await reason(named)).toBe("named by COOPER_DOCKER_PATH; docker is there too");
      expect(await reason(named, "docker")).toBe("named by --docker-path");
    });
  });
});

test("a program that is neither docker nor podman is not taken for an engine", async () => {
  await withHome({ "bin/docker": "#!/bin/sh\necho hello\n" }, async (home, toolsWith) => {
    expect((await examine(toolsWith({ PATH: join(home, "bin") }))).get("engine")?.detail).toBe(
      "docker is neither docker nor podman (docker -v: hello)",
    );
  });
});

test("a configuration that cannot be read is told, and engines are found on PATH all the same", async () => {
  await withHome({ "config/cooper/config.jsonc": '{ "docker_path": 3 }' }, async (home, toolsWith) => {
    const checks = await examine(toolsWith({ PATH: home, XDG_CONFIG_HOME: join(home, "config") }));
    expect(checks.get("configuration")).toMatchObject({
      status: "problem",
      detail: expect.stringContaining("docker_path"),
    });
    expect(checks.get("engine")?.detail).toBe("neither docker nor podman is on PATH");
  });
});
