import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { Interrupted, UserError } from "../../src/errors.ts";
import { runEngine } from "./builders.ts";
import { type DevContainer, openDevContainers, processesIn } from "./dev-containers.ts";
import { describeEngine } from "./engines.ts";
import { until } from "./processes.ts";
import { detailsOf, enter, sessionTools } from "./session-tools.ts";

const say = (word: string) => `echo ${word} >>/work/log`;

/** What the hooks of a container wrote. */
async function logOf({ engine, id }: DevContainer): Promise<string[]> {
  const text = await runEngine(engine, ["exec", id, "sh", "-c", "cat /work/log 2>/dev/null || true"]);
  return text.split("\n").filter((line) => line !== "");
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** The command lines of this machine's processes that contain a text, those in containers included. */
function commandLinesWith(text: string): string[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      const words = /^\d+$/.test(entry) ? readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ") : "";
      return words.includes(text) ? [words] : [];
    } catch {
      return [];
    }
  });
}

const aNap = () => `sleep 1${randomBytes(3).readUIntBE(0, 3)}`;

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const containers = openDevContainers();

    test("hooks run once, Features' first, as the user, in the workspace folder, and say whose they are", async () => {
      const metadata = [
        { id: "./a", onCreateCommand: say("a-create"), postStartCommand: say("a-start") },
        {
          remoteUser: "www-data",
          onCreateCommand: ["sh", "-c", say("create $(id -un) $PWD")],
          updateContentCommand: say("update"),
          postCreateCommand: { one: say("post"), two: say("post") },
          postStartCommand: say("start"),
          postAttachCommand: say("attach"),
        },
      ];
      const container = await containers.start(engine, {
        metadata,
        setUp: "mkdir -p /var/www; chown www-data /var/www",
      });
      const tools = sessionTools(container);
      expect(await enter(container, tools)).toBe("done");
      expect(await logOf(container)).toEqual([
        "a-create",
        "create www-data /work",
        "update",
        "post",
        "post",
        "a-start",
        "start",
        "attach",
      ]);
      expect(tools.said()).toContain("Running the onCreateCommand from Feature './a'...\n");
      expect(tools.said()).toContain("Running the onCreateCommand from devcontainer.json...\n");
      expect(tools.said()).toContain("Running two of postCreateCommand from devcontainer.json...\n");
      await enter(container, sessionTools({ ...container, home: container.folder }));
      expect((await logOf(container)).slice(8)).toEqual(["attach"]);
    });

    test("markers hold the times of creation and of the last start, also of hooks that nobody asked for", async () => {
      const container = await containers.start(engine, { metadata: [{ postStartCommand: say("start") }] });
      await enter(container, sessionTools(container));
      const read = () =>
        runEngine(engine, ["exec", container.id, "sh", "-c", "cd /root/.devcontainer && grep -r . . | sort"]);
      const before = await detailsOf(container);
      expect(await read()).toBe(
        [
          `./.onCreateCommandMarker:${before.created}\n`,
          `./.postCreateCommandMarker:${before.created}\n`,
          `./.postStartCommandMarker:${before.startedAt}\n`,
          `./.updateContentCommandMarker:${before.created}\n`,
        ].join(""),
      );
      await runEngine(engine, ["restart", "-t", "0", container.id]);
      await enter(container, sessionTools(container));
      const after = await detailsOf(container);
      expect(after.startedAt).not.toBe(before.startedAt);
      expect(await read()).toContain(`.postStartCommandMarker:${after.startedAt}\n`);
      expect(await logOf(container)).toEqual(["start", "start"]);
    });

    test("a prebuild runs updateContentCommand again and nothing after it", async () => {
      const hooks = {
        onCreateCommand: say("create"),
        updateContentCommand: say("update"),
        postCreateCommand: say("post"),
      };
      const container = await containers.start(engine, { metadata: [hooks] });
      for (let times = 0; times < 2; times += 1) {
        expect(await enter(container, sessionTools(container), { wishes: { prebuild: true } })).toBe("prebuild");
      }
      expect(await logOf(container)).toEqual(["create", "update", "update"]);
    });

    test("of several at a time one runs a hook", async () => {
      const container = await containers.start(engine, { metadata: [{ onCreateCommand: say("create") }] });
      const homes = [container.home, container.folder, `${container.home}/third`];
      await Promise.all(homes.map((home) => enter({ ...container, home }, sessionTools({ ...container, home }))));
      expect(await logOf(container)).toEqual(["create"]);
    });

    test("a hook that fails is named with its origin, exit code and last words, and no later one runs", async () => {
      const metadata = [
        { id: "ghcr.io/acme/tool:1", postCreateCommand: "exec 2>&1; echo first words; echo last words >&2; exit 7" },
        { postCreateCommand: say("post"), postStartCommand: say("start") },
      ];
      const container = await containers.start(engine, { metadata });
      const error = await failureOf(enter(container, sessionTools(container)));
      expect(error).toBeInstanceOf(UserError);
      expect(error).toMatchObject({
        description: "postCreateCommand from Feature 'ghcr.io/acme/tool:1' failed.",
        message:
          "postCreateCommand from Feature 'ghcr.io/acme/tool:1' failed with exit code 7.\nfirst words\nlast words",
      });
      expect(await logOf(container)).toEqual([]);
      // It counts as run: what comes after it is due next time.
      await enter(container, sessionTools(container));
      expect(await logOf(container)).toEqual(["start"]);
    });

    test("commands side by side all end before the first failure counts", async () => {
      const metadata = [
        {
          postCreateCommand: { bad: "exit 3", slow: `sleep 0.5; ${say("slow")}`, worse: "sleep 0.2; exit 4" },
          postStartCommand: say("start"),
        },
      ];
      const container = await containers.start(engine, { metadata });
      const error = await failureOf(enter(container, sessionTools(container)));
      expect(error).toMatchObject({
        message: "bad of postCreateCommand from devcontainer.json failed with exit code 3.",
      });
      expect(await logOf(container)).toEqual(["slow"]);
    });

    test("a command that ends by Ctrl-C is an interruption, not a failure", async () => {
      const container = await containers.start(engine, { metadata: [{ postCreateCommand: "kill -INT $$" }] });
      expect(await failureOf(enter(container, sessionTools(container)))).toBeInstanceOf(Interrupted);
    });

    test("a secret is in the hook's environment, and nowhere that anybody looks", async () => {
      const canary = `canary-${randomBytes(8).toString("hex")}`;
      const hook =
        'echo "::step::using $TOKEN"; printf %s "$TOKEN" | cut -c1-9; echo "$TOKEN" >/work/token; echo "<$TOKEN>" >&2; until [ -e /work/go ]; do sleep 0.1; done; exit 3';
      const container = await containers.start(engine, { metadata: [{ postCreateCommand: hook }] });
      const secrets = { TOKEN: canary, HOME: `${canary}-home` };
      const tools = sessionTools(container, { secrets, format: "json" });
      const running = failureOf(enter(container, tools, { secrets }));
      await until(async () => (await processesIn(container, "until [ -e /work/go ]")) > 0, "the hook to run");
      const seen = commandLinesWith(canary);
      await runEngine(engine, ["exec", container.id, "touch", "/work/go"]);
      const error = await running;
      expect(seen).toEqual([]);
      expect(await runEngine(engine, ["exec", container.id, "cat", "/work/token"])).toBe(`${canary}\n`);
      expect(tools.said()).toContain("<********>");
      expect(tools.said()).toContain('"stepDetail":"using ********"');
      expect(tools.said()).not.toContain(canary);
      expect(String(error)).toContain("<********>");
      expect(String(error)).not.toContain(canary);
      expect(await runEngine(engine, ["inspect", container.id])).not.toContain(canary);
    });

    test("an interruption leaves nothing of a hook running, in the container or beside it", async () => {
      const nap = aNap();
      const hook = { a: `${nap} & setsid ${nap} & trap "" TERM; ${nap}; ${nap}`, b: nap };
      const container = await containers.start(engine, {
        metadata: [{ postCreateCommand: hook }, { postStartCommand: say("start") }],
      });
      const controller = new AbortController();
      const tools = sessionTools(container, { interruption: { signal: controller.signal } });
      const running = failureOf(enter(container, tools));
      await until(async () => (await processesIn(container, nap)) >= 5, "the hooks to run");
      controller.abort(new Interrupted("SIGINT"));
      expect(await running).toBeInstanceOf(Interrupted);
      expect(await processesIn(container, nap)).toBe(0);
      expect(commandLinesWith(nap)).toEqual([]);
      expect(await logOf(container)).toEqual([]);
      expect((await detailsOf(container)).status).toBe("running");
    });

    test("what an earlier hook left running on purpose is not ended by a later one's interruption", async () => {
      const [server, nap] = [aNap(), aNap()];
      const metadata = [{ onCreateCommand: `nohup ${server} >/dev/null 2>&1 &`, postCreateCommand: nap }];
      const container = await containers.start(engine, { metadata });
      const controller = new AbortController();
      const running = failureOf(
        enter(container, sessionTools(container, { interruption: { signal: controller.signal } })),
      );
      await until(async () => (await processesIn(container, nap)) > 0, "the hook to run");
      controller.abort(new Interrupted("SIGTERM"));
      await running;
      expect([await processesIn(container, server), await processesIn(container, nap)]).toEqual([1, 0]);
    });

    test("a container that is removed while a hook runs is said", async () => {
      const nap = aNap();
      const container = await containers.start(engine, {
        metadata: [{ onCreateCommand: nap, postCreateCommand: say("post") }],
      });
      const running = failureOf(enter(container, sessionTools(container)));
      await until(async () => (await processesIn(container, nap)) > 0, "the hook to run");
      await runEngine(
        engine,
        ["rm", "-f", "-t", "0", container.id].filter((word) => name === "podman" || !["-t", "0"].includes(word)),
      );
      expect(String(await running)).toContain("onCreateCommand from devcontainer.json");
    });

    test("where markers cannot be written hooks do not run, which is said", async () => {
      const container = await containers.start(engine, {
        metadata: [{ remoteUser: "nobody", onCreateCommand: say("create"), postAttachCommand: say("attach") }],
      });
      const tools = sessionTools(container);
      await enter(container, tools);
      expect(await logOf(container)).toEqual(["attach"]);
      expect(tools.said()).toMatch(
        /warning: Could not write \.onCreateCommandMarker in \/nonexistent\/\.devcontainer as nobody/,
      );
    });
  });
}
