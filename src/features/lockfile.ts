import * as v from "valibot";
import { parseJsonc } from "../devcontainer/jsonc-document.ts";
import { UserError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { compareText } from "./compare-text.ts";
import { describeProblems } from "./schema-problems.ts";

/** What a lockfile says about one Feature: its content by digest, and the ids it depends on. */
export type LockedFeature = {
  readonly version?: string | undefined;
  /** `registry/path@digest`, or the address of an archive. */
  readonly resolved: string;
  readonly integrity: Digest;
  readonly dependsOn?: readonly string[] | undefined;
};

/** A devcontainer-lock.json: locked Features by the id under which devcontainer.json or another Feature names them. */
export type Lockfile = ReadonlyMap<string, LockedFeature>;

const plainObject = v.custom<JsonObject>(isJsonObject, "an object");
const lockedFeature = v.pipe(
  plainObject,
  v.object({
    version: v.exactOptional(v.string("a string")),
    resolved: v.string("a string"),
    integrity: v.custom<Digest>(
      (input) => typeof input === "string" && isDigest(input),
      'a digest ("sha256:" and 64 hex digits)',
    ),
    dependsOn: v.exactOptional(v.array(v.string("a string"), "an array of strings")),
  }),
);
const lockfileSchema = v.pipe(
  plainObject,
  v.object({ features: v.exactOptional(v.pipe(plainObject, v.record(v.string(), lockedFeature)), {}) }),
);

/**
 * Reads a lockfile; undefined when the text is only whitespace. Throws a UserError with `file:line:column` for what is
 * not JSON or does not lock a Feature.
 */
export function parseLockfile(text: string, source: { file: string }): Lockfile | undefined {
  if (text.trim() === "") return undefined;
  const parsed = strictlyParsed(text) ?? parseJsonc(text, source.file).value;
  const result = v.safeParse(lockfileSchema, parsed);
  if (result.success) return new Map(Object.entries(result.output.features));
  throw new UserError(describeProblems({ issues: result.issues }, { text, file: source.file }), {
    hint: "Repair the lockfile, or delete it to resolve every Feature anew.",
  });
}

/** The text of a lockfile, the same for the same Features in whatever order. */
export function renderLockfile(lockfile: Lockfile): string {
  const features = [...lockfile]
    .sort(([left], [right]) => compareText(left, right))
    .map(([userId, { version, resolved, integrity, dependsOn }]) => [
      userId,
      { version, resolved, integrity, dependsOn },
    ]);
  return `${JSON.stringify({ features: Object.fromEntries(features) }, null, 2)}\n`;
}

/**
 * What to do with the lockfile on disk (`existing`: its text, undefined when there is none) after Features were
 * resolved: nothing, or write `text`. A frozen lockfile that is absent or differs is a UserError instead.
 */
export function reconcileLockfile(
  resolved: Lockfile,
  options: { existing: string | undefined; frozen: boolean },
): { kind: "unchanged" } | { kind: "write"; text: string } {
  const text = renderLockfile(resolved);
  const { existing, frozen } = options;
  if (existing !== undefined && sameJson(existing, text)) return { kind: "unchanged" };
  if (!frozen) return { kind: "write", text };
  if (existing === undefined) {
    throw new UserError("Lockfile does not exist.", { hint: "Build once without --frozen-lockfile and commit it." });
  }
  const changed = changedIds(parseLockfile(existing, { file: "the lockfile" }) ?? new Map(), resolved);
  const which = changed.length === 0 ? "" : `These Features differ: ${changed.join(", ")}. `;
  throw new UserError("Lockfile does not match.", {
    hint: `${which}Build once without --frozen-lockfile and commit the change.`,
  });
}

function sameJson(left: string, right: string): boolean {
  return JSON.stringify(strictlyParsed(left)) === JSON.stringify(strictlyParsed(right));
}

/** Undefined for what is not JSON. */
function strictlyParsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function changedIds(before: Lockfile, after: Lockfile): string[] {
  const ids = [...new Set([...before.keys(), ...after.keys()])].sort(compareText);
  return ids.filter((userId) => JSON.stringify(before.get(userId)) !== JSON.stringify(after.get(userId)));
}
