import { afterAll } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { askEngine, type TestBuilder } from "./builders.ts";
import { type CooperResult, runCooper, type TestEngine } from "./engines.ts";
import { type Files, openScene } from "./workspace.ts";

/** What a build that worked answers: these four members and no others. */
export const responseSchema = v.strictObject({
  image_tag: v.string(),
  profile_id: v.string(),
  reused_cache: v.boolean(),
  build_log_path: v.string(),
});
/** What one that failed answers. */
export const failureSchema = v.strictObject({
  outcome: v.literal("error"),
  message: v.string(),
  description: v.string(),
  build_log_path: v.optional(v.string()),
});

/** One run of `profile build`, with what it left in the repository. */
export interface ProfileRun extends CooperResult {
  readonly response: v.InferOutput<typeof responseSchema> | undefined;
  readonly failure: v.InferOutput<typeof failureSchema> | undefined;
  readonly log: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** A repository with a profile. */
export interface ProfiledRepository {
  readonly folder: string;
  readonly profilePath: string;
}

/** A base without Debian's packages in reach: its `apt-get` says what it was asked for, after these lines of shell. */
export const fakeApt = (lines = "") =>
  [
    `RUN printf '%s\\n' '#!/bin/sh' ${JSON.stringify(lines)} 'echo "asked: $*" >>/apt.log' >/usr/local/bin/apt-get`,
    "RUN chmod +x /usr/local/bin/apt-get",
  ].join("\n");

/** What tests of profiles need on an engine; call it where `afterAll` may be called. */
export function openProfileScene() {
  const scene = openScene();
  const built: { engine: TestEngine; tag: string }[] = [];
  afterAll(async () => {
    for (const { engine, tag } of built) await askEngine(engine, ["rmi", "--force", tag]);
  });
  let count = 0;
  return {
    ...scene,
    repository: (files: Files, profile: object): ProfiledRepository => {
      count += 1;
      const folder = scene.workspace(files, { name: `repository${count}` });
      const profilePath = join(scene.directory("profile"), "repo_profile.json");
      // No other run has this profile, and so this id.
      writeFileSync(profilePath, JSON.stringify({ ...profile, reason: `${scene.id} ${count}` }));
      return { folder, profilePath };
    },
    run: async (
      { engine, flags }: Pick<TestBuilder, "engine" | "flags">,
      { folder, profilePath }: ProfiledRepository,
      options: { request?: object; args?: readonly string[] } = {},
    ): Promise<ProfileRun> => {
      const request = join(scene.directory("request"), "request.json");
      writeFileSync(request, JSON.stringify({ repo_dir: folder, profile_path: profilePath, ...options.request }));
      const words = ["profile", "build", "--request", request, ...flags, ...(options.args ?? [])];
      const result = await runCooper(words, { engine });
      const document: unknown = JSON.parse(result.stdout);
      const response = result.exitCode === 0 ? v.parse(responseSchema, document) : undefined;
      if (response !== undefined) built.push({ engine, tag: response.image_tag });
      const artifacts = join(folder, ".pf_manifest", "image_build");
      return {
        ...result,
        response,
        failure: response === undefined ? v.parse(failureSchema, document) : undefined,
        log: readIfThere(join(artifacts, "build.log")),
        manifest: v.parse(
          v.record(v.string(), v.unknown()),
          JSON.parse(readIfThere(join(artifacts, "manifest.json")) || "{}"),
        ),
      };
    },
  };
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
