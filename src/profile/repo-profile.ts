import * as v from "valibot";
import { UserError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import { hexOf, sha256Of } from "../oci/digest.ts";
import { exactMember, parseExactJson, pythonJson, pythonNumber, withExactMember } from "./python-json.ts";
import { closed, parseJsonText, readDocument } from "./read-document.ts";

const text = v.string("a string");
const texts = v.array(text, "an array of strings");
const flag = v.optional(v.boolean("true or false"), false);
const nullableText = v.nullish(v.string("a string or null"), null);
const choice = <const Names extends readonly string[]>(names: Names) =>
  v.picklist(names, names.map((name) => JSON.stringify(name)).join(" or "));

const gateEntries = {
  cmd: text,
  timeout_sec: v.optional(v.pipe(v.number("a number of seconds"), v.minValue(0.001, "a number above zero"))),
};
const gate = closed(gateEntries);
const gates = closed({
  test: v.nullish(gate, null),
  lint: v.nullish(gate, null),
  typecheck: v.nullish(gate, null),
});
const decision = closed({
  value: v.optional(v.any()),
  reason: v.nullish(text),
  source: v.nullish(text),
  defaulted_cmd: v.nullish(v.any()),
});

/** Python's text of a value that should have been a string: the original wrote `str(value)`. */
const stringified = v.pipe(
  v.union([v.string(), v.number(), v.boolean()], "a string"),
  v.transform((value) =>
    typeof value === "boolean"
      ? value
        ? "True"
        : "False"
      : typeof value === "number"
        ? pythonNumber(String(value))
        : value,
  ),
);

const profileEntries = {
  status: v.optional(choice(["supported", "partial", "unsupported"]), "supported"),
  reason: nullableText,
  missing: v.optional(texts, []),
  project_root: v.optional(v.literal(".", '"."'), "."),
  tests_root: nullableText,
  /** Which language's base image; with `base_image`, `packages` an addition to the original's schema. */
  language: v.optional(choice(["python", "node", "go", "rust"]), "python"),
  base_image: nullableText,
  packages: v.optional(texts, []),
  python_version_target: nullableText,
  install_cmds: texts,
  repo_setup_cmds: v.optional(texts, []),
  repo_setup_idempotency_check: v.optional(choice(["warn", "fail", "off"]), "warn"),
  repo_setup_continue_on_failure: flag,
  repo_setup_allow_unsafe: flag,
  allow_editable_install: flag,
  allow_unauthenticated_apt: flag,
  policy_profile: v.nullish(choice(["strict", "pragmatic"]), null),
  gates: v.optional(gates, {}),
  decisions: v.optional(
    closed({
      python_version: v.optional(decision),
      language: v.optional(decision),
      base_image: v.optional(decision),
      install: v.optional(decision),
      tests: v.optional(decision),
      lint: v.optional(decision),
      typecheck: v.optional(decision),
    }),
    {},
  ),
  detected_tools: v.optional(texts, []),
  suggested_profiles: v.optional(
    v.array(
      closed({ name: text, reason: v.optional(text), install_cmds: texts, gates: v.optional(gates) }),
      "an array",
    ),
    [],
  ),
  working_dir: v.optional(text, "."),
  env: v.optional(v.record(v.string(), stringified, "an object of strings"), {}),
};
const profileSchema = closed(profileEntries);

const wrapperEntries = {
  profile_id: v.nullish(
    v.pipe(v.string("64 lower-case hex digits"), v.regex(/^[0-9a-f]{64}$/, "a sha256: 64 lower-case hex digits")),
  ),
  profile: profileSchema,
  profile_runtime: v.nullish(closed({ working_dir_abs: v.nullish(text), repo_dir_abs: v.nullish(text) })),
};
const wrapperSchema = closed(wrapperEntries);

/** How a repository is installed and tested, with what was left out filled in. */
export type RepoProfile = v.InferOutput<typeof profileSchema>;
/** A command that judges a repository. */
export type Gate = v.InferOutput<typeof gate>;
/** Why a member of a profile is what it is. */
export type Decision = v.InferInput<typeof decision>;
/** A profile as it is written down. */
export type WrittenProfile = v.InferInput<typeof profileSchema>;

/** A profile with its id; `computedId` is what the id would be, which may differ from one that was given. */
export interface IdentifiedProfile {
  readonly id: string;
  readonly computedId: string;
  readonly profile: RepoProfile;
}

/** Reads `repo_profile.json`, bare or in its wrapper; throws UserError with the JSON path of what is wrong in `file`. */
export function parseRepoProfile(document: string, file: string): IdentifiedProfile {
  const what = `The profile ${file}`;
  const names = [profileEntries, wrapperEntries, gateEntries].flatMap((entries) => Object.keys(entries));
  const value = parseJsonText(document, what);
  const exact = parseExactJson(document.replace(/^\uFEFF/, ""));
  if (!isJsonObject(value)) throw new UserError(`${what} is not valid: wanted an object.`);
  if (!Object.hasOwn(value, "profile")) {
    const profile = readDocument(value, { schema: profileSchema, what, names });
    const id = computeProfileId(exact);
    return { id, computedId: id, profile };
  }
  const { profile_id: given, profile } = readDocument(value, { schema: wrapperSchema, what, names });
  const computedId = computeProfileId(exactMember(exact, "profile") ?? exact);
  return { id: given ?? computedId, computedId, profile };
}

/** The id of a profile that is given as a value. */
export function profileIdOf(profile: WrittenProfile): string {
  return computeProfileId(parseExactJson(JSON.stringify(profile)));
}

/** sha256 of the canonical JSON with `working_dir` forced to ".". */
function computeProfileId(profile: Parameters<typeof withExactMember>[0]): string {
  return hexOf(sha256Of(pythonJson(withExactMember(profile, "working_dir", "."))));
}
