import { afterAll, expect, setDefaultTimeout } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { askEngine, runEngine, type TestBuilder } from "./builders.ts";
import { BASE_IMAGE, type CooperOptions, type CooperResult, runCooper, type TestEngine } from "./engines.ts";

/** What is to be in a folder, by relative path; text, text with a mode, the target of a link, or JSON to be written. */
export type Files = Readonly<Record<string, string | FileToWrite>>;
type FileToWrite =
  | { readonly text: string; readonly mode: number }
  | { readonly link: string }
  | { readonly json: unknown };

/** What `build` says on stdout. */
export type Outcome =
  | { readonly outcome: "success"; readonly imageName: readonly string[] }
  | { readonly outcome: "error"; readonly message: string; readonly description: string };

/** One run of `build`. */
export interface BuildRun extends CooperResult {
  readonly outcome: Outcome;
  /** Of a successful run, the first name; empty otherwise. */
  readonly image: string;
}

/** Places and names that no other test run has, gone when the file's tests have run. */
export interface Scene {
  /** A random word, the same in the whole scene. */
  readonly id: string;
  readonly directory: (label: string) => string;
  /** A new folder with these files. */
  readonly workspace: (files: Files, options?: { readonly name?: string }) => string;
  /** A name for an image, which will be removed from the engine. */
  readonly imageName: (engine: TestEngine, label: string) => string;
  /** Runs `build`, checks that stdout is one line of JSON, and sees to it that what it names is removed. */
  readonly build: (
    builder: TestBuilder,
    folder: string,
    options?: CooperOptions & { readonly args?: readonly string[] },
  ) => Promise<BuildRun>;
  /** A small image with these instructions on top of the base image. */
  readonly baseImage: (engine: TestEngine, label: string, instructions: string) => Promise<string>;
}

const outcomeSchema = v.variant("outcome", [
  v.strictObject({ outcome: v.literal("success"), imageName: v.array(v.string()) }),
  v.strictObject({ outcome: v.literal("error"), message: v.string(), description: v.string() }),
]);

/** A scene for the tests of one file or group; call it where `afterAll` may be called. */
export function openScene(): Scene {
  // Builds on a busy machine take their time.
  setDefaultTimeout(120_000);
  const id = randomBytes(5).toString("hex");
  const root = mkdtempSync(join(tmpdir(), "cooper-scene-"));
  const images = new Map<TestEngine, Set<string>>();
  const remember = (engine: TestEngine, names: readonly string[]) => {
    const known = images.get(engine) ?? new Set();
    for (const name of names) known.add(name);
    images.set(engine, known);
  };
  const directory = (label: string) => mkdtempSync(join(root, `${label}-`));
  const imageName = (engine: TestEngine, label: string) => {
    const name = `localhost/cooper-test-${id}/${label}`;
    remember(engine, [name]);
    return name;
  };
  afterAll(async () => {
    rmSync(root, { recursive: true, force: true });
    for (const [engine, names] of images) await askEngine(engine, ["rmi", "--force", ...names]);
  });
  return {
    id,
    directory,
    imageName,
    workspace: (files, { name = "project" } = {}) => {
      // Unique, so that two runs never share a derived tag.
      const folder = join(directory("workspace"), `${name}-${id}`);
      writeFiles(folder, files);
      return folder;
    },
    build: async (builder, folder, { args = [], ...options } = {}) => {
      const words = ["build", "--workspace-folder", folder, ...builder.flags, ...args];
      const result = await runCooper(words, { engine: builder.engine, ...options });
      const outcome = readOutcome(result);
      if (outcome.outcome === "success") remember(builder.engine, outcome.imageName);
      return { ...result, outcome, image: outcome.outcome === "success" ? (outcome.imageName[0] ?? "") : "" };
    },
    baseImage: async (engine, label, instructions) => {
      const name = imageName(engine, label);
      await runEngine(engine, ["build", "-t", name, "-"], { stdin: `FROM ${BASE_IMAGE}\n${instructions}\n` });
      return name;
    },
  };
}

/** The one JSON document on stdout; fails the test when there is anything else or the exit code says otherwise. */
export function readOutcome({ stdout, stderr, exitCode }: CooperResult): Outcome {
  if (!/^\{[^\n]*\}\n$/.test(stdout)) throw new Error(`stdout is not one line of JSON: ${stdout}\nstderr: ${stderr}`);
  const outcome = v.parse(outcomeSchema, JSON.parse(stdout));
  if (outcome.outcome === "success") expect(exitCode).toBe(0);
  else expect(exitCode).toBeGreaterThan(0);
  return outcome;
}

/** The image of a successful build; throws with what was said when it failed. */
export function imageOf(run: BuildRun): string {
  if (run.outcome.outcome === "success") return run.image;
  throw new Error(`the build failed: ${run.outcome.message}\n${run.stderr}`);
}

/** The message of a failed build; throws when it did not fail. */
export function messageOf(run: BuildRun): string {
  if (run.outcome.outcome === "error") return run.outcome.message;
  throw new Error(`the build succeeded: ${run.stdout}`);
}

/** Writes files below a folder, which is made. */
export function writeFiles(folder: string, files: Files): void {
  for (const [path, file] of Object.entries(files)) {
    const absolute = join(folder, path);
    mkdirSync(dirname(absolute), { recursive: true });
    if (typeof file === "string") writeFileSync(absolute, file);
    else if ("link" in file) symlinkSync(file.link, absolute);
    else if ("json" in file) writeFileSync(absolute, `${JSON.stringify(file.json, null, 2)}\n`);
    else {
      writeFileSync(absolute, file.text);
      chmodSync(absolute, file.mode);
    }
  }
}

/** The two files of a Feature in `.devcontainer/<id>`. */
export function localFeature(id: string, install: string, manifest: object = {}): Files {
  return {
    [`.devcontainer/${id}/devcontainer-feature.json`]: { json: { id, version: "1.0.0", name: id, ...manifest } },
    [`.devcontainer/${id}/install.sh`]: `#!/bin/sh\nset -e\n${install}\n`,
  };
}

/** A devcontainer.json at its usual place. */
export function devcontainerJson(config: object): Files {
  return { ".devcontainer/devcontainer.json": { json: config } };
}

const inspection = v.tuple([
  v.object({
    Id: v.string(),
    Os: v.string(),
    Architecture: v.string(),
    Config: v.object({
      User: v.optional(v.nullable(v.string()), ""),
      Env: v.optional(v.nullable(v.array(v.string())), []),
      Entrypoint: v.optional(v.nullable(v.array(v.string())), null),
      Cmd: v.optional(v.nullable(v.array(v.string())), null),
      WorkingDir: v.optional(v.nullable(v.string()), ""),
      Labels: v.optional(v.nullable(v.record(v.string(), v.string())), {}),
    }),
  }),
]);

/** What the engine says about an image. */
export async function inspectImage(engine: TestEngine, image: string) {
  const [{ Config, ...facts }] = v.parse(inspection, JSON.parse(await runEngine(engine, ["image", "inspect", image])));
  return { ...facts, ...Config, Labels: Config.Labels ?? {}, Env: Config.Env ?? [] };
}

/** Whether the engine has an image of this name. */
export async function hasImage(engine: TestEngine, image: string): Promise<boolean> {
  return (await askEngine(engine, ["image", "inspect", image])).exitCode === 0;
}

/** What is left under cooper's cache of the folders in which builds are prepared. */
export function leftoverBuilds(home: string): string[] {
  const folder = join(home, "cache", "cooper", "builds");
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** The images that a run at `--log-level debug` made to carry Features, as far as the engine still has them. */
export async function leftoverContentImages(engine: TestEngine, run: CooperResult): Promise<string[]> {
  const made = new Set(run.stderr.match(/localhost\/cooper\/feature-content:[0-9a-f]+/g));
  const kept = await Promise.all([...made].map((image) => hasImage(engine, image)));
  return [...made].filter((_, index) => kept[index]);
}
