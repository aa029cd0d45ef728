import * as v from "valibot";
import { formatPath, problemsOf } from "../devcontainer/config-problems.ts";
import { messageOf, UserError } from "../errors.ts";
import { nearestName } from "../nearest-name.ts";

/** An object with these members and no others; an unknown one is refused by its name. */
export function closed<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject(entries, (issue) => (issue.expected === "never" ? "no such member" : "an object"));
}

/** A JSON text's value; throws UserError that says what it is the text of. */
export function parseJsonText(text: string, what: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new UserError(`${what} is not JSON: ${messageOf(cause)}.`, { cause });
  }
}

/** The value as `schema` has it; throws UserError with the path of everything in it that is wrong. */
export function readDocument<const Schema extends v.GenericSchema>(
  value: unknown,
  { schema, what, names }: { schema: Schema; what: string; names: readonly string[] },
): v.InferOutput<Schema> {
  const unknown: v.BaseIssue<unknown>[] = [];
  let result = v.safeParse(schema, value);
  // Of the unknown members of an object the first one is told of alone: what is left without it tells of the next.
  const rest: unknown = structuredClone(value);
  for (;;) {
    const issue = result.issues?.find(({ expected }) => expected === "never");
    if (issue === undefined) break;
    unknown.push(issue);
    removeMember(rest, issue.path ?? []);
    result = v.safeParse(schema, rest);
  }
  if (unknown.length === 0 && result.success) return result.output;
  const lines = [
    ...unknown.map((issue) => unknownMember(issue, names)),
    ...problemsOf(result.issues ?? []).map(({ text }) => text),
  ];
  throw new UserError(`${what} is not valid: ${lines.join("\n  ").replace(/^: /, "")}`);
}

function removeMember(value: unknown, path: readonly { readonly key: unknown }[]): void {
  const owner = path.slice(0, -1).reduce<unknown>((at, { key }) => Reflect.get(Object(at), String(key)), value);
  Reflect.deleteProperty(Object(owner), String(path.at(-1)?.key));
}

function unknownMember(issue: v.BaseIssue<unknown>, names: readonly string[]): string {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
  const name = String(path.at(-1));
  const nearest = nearestName(name, names);
  return `unknown member ${formatPath(path)}${nearest === undefined ? "." : `; did you mean ${JSON.stringify(nearest)}?`}`;
}
