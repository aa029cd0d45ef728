import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { askEngine, describeBuilders } from "./builders.ts";
import { runCooper } from "./engines.ts";
import { fakeApt, openProfileScene } from "./profile-scene.ts";

const resultSchema = v.looseObject({
  outcome: v.string(),
  passed: v.boolean(),
  result_path: v.string(),
  run_id: v.string(),
  gates: v.array(
    v.looseObject({
      gate: v.string(),
      status: v.string(),
      exit_code: v.nullable(v.number()),
      log: v.string(),
      log_truncated: v.boolean(),
    }),
  ),
});

describeBuilders(
  (builder) => {
    const scene = openProfileScene();
    const { engine } = builder;

    test("gates run in the image on the repository as it is now, and end when their time is up", async () => {
      const gates = {
        test: { cmd: "cat a.txt /installed; touch made" },
        lint: { cmd: "seq 1000; exit 3" },
        typecheck: { cmd: "echo begun; sleep 100", timeout_sec: 2 },
      };
      const repository = scene.repository({ "a.txt": "one\n" }, { install_cmds: ["cp a.txt /installed"], gates });
      const args = ["--base-image", await scene.baseImage(engine, "gates", fakeApt())];
      expect((await scene.run(builder, repository, { args })).exitCode).toBe(0);
      const place = ["--repo-dir", repository.folder, "--profile", repository.profilePath];

      const one = await runCooper(["profile", "run", ...place, "--gates", "test"], { engine });
      const passed = v.parse(resultSchema, JSON.parse(one.stdout));
      expect([one.exitCode, passed.outcome, passed.gates[0]?.log]).toEqual([0, "success", "one\none\n"]);
      expect(existsSync(join(repository.folder, "made"))).toBe(true);

      const all = await runCooper(["profile", "run", ...place], { engine });
      expect(all.exitCode).toBe(1);
      const result = v.parse(resultSchema, JSON.parse(all.stdout));
      expect(result.gates.map(({ gate, status, exit_code }) => [gate, status, exit_code])).toEqual([
        ["test", "passed", 0],
        ["lint", "failed", 3],
        ["typecheck", "timed_out", null],
      ]);
      expect(
        v.parse(resultSchema, { outcome: "", result_path: "", ...JSON.parse(readFileSync(result.result_path, "utf8")) })
          .gates,
      ).toEqual(result.gates);
      expect(readdirSync(join(repository.folder, ".pf_manifest", "gates"))).toHaveLength(2);
      const left = await askEngine(engine, ["ps", "--all", "--filter", `name=${result.run_id}`, "--quiet"]);
      expect(left.stdout).toBe("");
    });

    test("a gate that the profile does not have and an image that is not there are told of", async () => {
      const repository = scene.repository({}, { install_cmds: [], gates: { test: { cmd: "true" } } });
      const place = ["--repo-dir", join(repository.profilePath, ".."), "--profile", repository.profilePath];
      const noGate = await runCooper(["profile", "run", ...place, "--gates", "lint"], { engine });
      expect(noGate.stdout).toContain("The profile has no gate lint.");
      const noImage = await runCooper(["profile", "run", ...place], { engine });
      expect(noImage.stdout).toContain("The engine has no image patchfoundry/");
      expect(noImage.stderr).toContain("cooper profile build");
    });
  },
  ["BuildKit", "podman"],
);
