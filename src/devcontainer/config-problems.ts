import type * as v from "valibot";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { nearestName } from "../nearest-name.ts";
import type { JsonPath } from "./jsonc-document.ts";
import { knownProperties } from "./schema.ts";

/** One thing that is wrong with a configuration. */
export type ConfigProblem = { readonly path: JsonPath; readonly text: string };

/** What valibot found wrong, in words: where, what was found and what was wanted. */
export function problemsOf(issues: readonly v.BaseIssue<unknown>[]): ConfigProblem[] {
  const problems = issues.flatMap((issue) => deepest(issue, []));
  return problems.filter(({ path, text }, index) => {
    const earlier = problems.findIndex((other) => formatPath(other.path) === formatPath(path) && other.text === text);
    return earlier === index;
  });
}

/** Properties that mean nothing here; the text suggests the nearest name that does. */
export function unknownProperties(config: JsonObject): ConfigProblem[] {
  return knownProperties.flatMap(({ path, names }) => {
    return membersAt(config, path)
      .map((member) => ({ path: member.path, key: String(member.path.at(-1)) }))
      .filter(({ key }) => !names.includes(key))
      .map((unknown) => {
        const nearest = nearestName(unknown.key, names);
        const suggestion = nearest === undefined ? "." : `; did you mean "${nearest}"?`;
        return { path: unknown.path, text: `unknown property ${formatPath(unknown.path)} is ignored${suggestion}` };
      });
  });
}

/** Values that are taken although the specification wants another type. */
export function toleratedValues(config: JsonObject): ConfigProblem[] {
  const environments = [["build", "args"], ["containerEnv"], ["remoteEnv"]].flatMap((path) => membersAt(config, path));
  const features = membersAt(config, ["features"]);
  const options = features.flatMap(({ path }) => membersAt(config, path));
  return [
    ...environments.filter(({ value }) => typeof value === "number" || typeof value === "boolean"),
    ...[...features, ...options].filter(({ value }) => typeof value === "number"),
    ...features.filter(({ value }) => value === null),
  ].map(({ path, value }) => ({
    path,
    text: `${formatPath(path)} is ${describeKind(value)}; it is used as ${value === null ? "{}" : "text"}, better write that.`,
  }));
}

/** A path as one would write it in JavaScript: `mounts[0].type`, `features["./a"]`. */
export function formatPath(path: JsonPath): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[A-Za-z_$][\w$]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

/** Of a union's complaints those count that get furthest into the value: they are about the form that was meant. */
function deepest(issue: v.BaseIssue<unknown>, base: JsonPath): ConfigProblem[] {
  const path = [...base, ...stepsOf(issue)];
  const further = (issue.issues ?? [])
    .flatMap((inner) => deepest(inner, path))
    .filter((inner) => inner.path.length > path.length);
  if (further.length > 0) return further;
  if (issue.input === undefined) return [{ path, text: `${formatPath(path)} is missing.` }];
  return [{ path, text: `${formatPath(path)}: found ${foundIn(issue)}; wanted ${issue.message}.` }];
}

function stepsOf(issue: v.BaseIssue<unknown>): (string | number)[] {
  return (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
}

/** A string is shown where one of a few words is wanted, and nowhere else: it may be a secret. */
function foundIn(issue: v.BaseIssue<unknown>): string {
  const isChoice = issue.type === "regex" || issue.message.includes('"');
  if (typeof issue.input === "string" && isChoice) return JSON.stringify(issue.input);
  return describeKind(issue.input);
}

/** A value's kind, in words, and no more of it than a number. */
export function describeKind(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return typeof value === "number" ? `the number ${value}` : "a string";
}

function membersAt(config: JsonObject, path: JsonPath): { path: JsonPath; value: JsonValue }[] {
  const object = valueAt(config, path);
  return isJsonObject(object) ? Object.entries(object).map(([key, value]) => ({ path: [...path, key], value })) : [];
}

function valueAt(config: JsonObject, path: JsonPath): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((value, key) => (isJsonObject(value) ? value[key] : undefined), config);
}
