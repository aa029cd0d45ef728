import * as v from "valibot";
import { UserError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import type { Detection, Finding } from "./detection.ts";
import { closed, parseJsonText, readDocument } from "./read-document.ts";
import type { WrittenProfile } from "./repo-profile.ts";

const REQUEST = "The request";
const text = v.nullish(v.string("a string"), null);
const texts = v.nullish(v.array(v.string("a string"), "an array of strings"), null);
const flag = v.nullish(v.boolean("true or false"), null);
const choice = <const Names extends readonly string[]>(names: Names) =>
  v.nullish(v.picklist(names, names.map((name) => JSON.stringify(name)).join(" or ")), null);

const overrideEntries = {
  install_cmds: texts,
  test_cmd: text,
  lint_cmd: text,
  type_cmd: text,
  repo_setup_cmds: texts,
  repo_setup_idempotency_check: choice(["warn", "fail", "off"]),
  repo_setup_continue_on_failure: flag,
  repo_setup_allow_unsafe: flag,
  allow_editable_install: flag,
  allow_unauthenticated_apt: flag,
  policy_profile: choice(["strict", "pragmatic"]),
  env: v.nullish(v.record(v.string(), v.string("a string"), "an object of strings"), null),
};
const overrides = closed(overrideEntries);
const entries = {
  repo_dir: v.pipe(v.string("a path, as a string"), v.nonEmpty("a path that is not empty")),
  explicit_python_version: text,
  overrides: v.nullish(overrides, null),
};
const schema = closed(entries);

/** What `profile detect` is asked for. */
export type DetectionRequest = v.InferOutput<typeof schema>;
/** What counts whatever the repository's files say; null leaves it to them. */
export type ProfileOverrides = v.InferOutput<typeof overrides>;

/** Reads a request's JSON; throws UserError that names the members that are wrong. */
export function parseDetectionRequest(document: string): DetectionRequest {
  const value = parseJsonText(document, REQUEST);
  if (!isJsonObject(value)) throw new UserError(`${REQUEST} is not valid: wanted an object.`);
  return readDocument(value, {
    schema,
    what: REQUEST,
    names: [...Object.keys(entries), ...Object.keys(overrideEntries)],
  });
}

/** The findings with the commands that were asked for; these alone make a Python repository of one in which nothing was found. */
export function overrideDetection(
  detection: Detection | undefined,
  { install_cmds, test_cmd, lint_cmd, type_cmd, env }: ProfileOverrides,
): Detection | undefined {
  const commands = [test_cmd, lint_cmd, type_cmd].filter((command) => command !== null);
  if (detection === undefined && install_cmds === null && commands.length === 0) return undefined;
  const found: Detection = detection ?? {
    language: { value: "python", source: "default" },
    install: undefined,
    test: undefined,
    lint: undefined,
    typecheck: undefined,
    env: {},
  };
  return {
    ...found,
    install: overridden(install_cmds) ?? found.install,
    test: overridden(test_cmd) ?? found.test,
    lint: overridden(lint_cmd) ?? found.lint,
    typecheck: overridden(type_cmd) ?? found.typecheck,
    env: { ...found.env, ...env },
  };
}

function overridden<Value>(value: Value | null): Finding<Value> | undefined {
  return value === null ? undefined : { value, source: "override" };
}

/** The members of a profile that no file of a repository says anything about. */
export function overriddenMembers(asked: ProfileOverrides): Partial<WrittenProfile> {
  return {
    ...(asked.repo_setup_cmds === null ? {} : { repo_setup_cmds: asked.repo_setup_cmds }),
    ...(asked.repo_setup_idempotency_check === null
      ? {}
      : { repo_setup_idempotency_check: asked.repo_setup_idempotency_check }),
    ...(asked.repo_setup_continue_on_failure === null
      ? {}
      : { repo_setup_continue_on_failure: asked.repo_setup_continue_on_failure }),
    ...(asked.repo_setup_allow_unsafe === null ? {} : { repo_setup_allow_unsafe: asked.repo_setup_allow_unsafe }),
    ...(asked.allow_editable_install === null ? {} : { allow_editable_install: asked.allow_editable_install }),
    ...(asked.allow_unauthenticated_apt === null ? {} : { allow_unauthenticated_apt: asked.allow_unauthenticated_apt }),
    ...(asked.policy_profile === null ? {} : { policy_profile: asked.policy_profile }),
  };
}
