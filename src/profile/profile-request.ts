import * as v from "valibot";
import { UserError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import { closed, parseJsonText, readDocument } from "./read-document.ts";

const REQUEST = "The request";
const COUNT = "a whole number above zero";
const path = v.pipe(v.string("a path, as a string"), v.nonEmpty("a path that is not empty"));

const entries = {
  repo_dir: path,
  profile_path: path,
  image_cache_dir: v.optional(v.nullable(path), null),
  force_rebuild: v.optional(v.boolean("true or false"), false),
};
const schema = closed(entries);

/** What `profile build` is asked for: the four members of its request. */
export type ProfileRequest = v.InferOutput<typeof schema>;

/** What `profile build` answers. */
export interface ProfileResponse {
  readonly image_tag: string;
  readonly profile_id: string;
  readonly reused_cache: boolean;
  readonly build_log_path: string;
}

/** Reads a request's JSON; throws UserError that names the members that are wrong. */
export function parseProfileRequest(text: string): ProfileRequest {
  return readDocument(parseObject(text), { schema, what: REQUEST, names: Object.keys(entries) });
}

/** The gates of a profile, in the order in which they run. */
export const GATE_NAMES = ["test", "lint", "typecheck"] as const;
export type GateName = (typeof GATE_NAMES)[number];

const gateEntries = {
  repo_dir: path,
  profile_path: path,
  image_tag: v.optional(v.nullable(path), null),
  gates_to_run: v.optional(
    v.nullable(
      v.array(v.picklist(GATE_NAMES, GATE_NAMES.map((name) => JSON.stringify(name)).join(" or ")), "an array"),
    ),
    null,
  ),
  repeats: v.optional(v.pipe(v.number(COUNT), v.integer(COUNT), v.minValue(1, COUNT)), 1),
  max_log_bytes: v.optional(v.pipe(v.number(COUNT), v.integer(COUNT), v.minValue(1, COUNT)), 200_000),
};
const gateSchema = closed(gateEntries);

/** What `profile run` is asked for. */
export type GatesRequest = v.InferOutput<typeof gateSchema>;

/** Reads a request to run gates; throws UserError that names the members that are wrong. */
export function parseGatesRequest(text: string): GatesRequest {
  return readDocument(parseObject(text), { schema: gateSchema, what: REQUEST, names: Object.keys(gateEntries) });
}

function parseObject(text: string): unknown {
  const value = parseJsonText(text, REQUEST);
  if (!isJsonObject(value)) throw new UserError(`${REQUEST} is not valid: wanted an object.`);
  return value;
}
