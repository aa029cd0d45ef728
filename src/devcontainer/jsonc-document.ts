import { type Node, type ParseError, parseTree } from "jsonc-parser";
import { UserError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { describeSyntaxError } from "./jsonc-syntax-error.ts";

/** Where a value is in a JSON document: property names and array indices from the top. */
export type JsonPath = readonly (string | number)[];

const maximumDepth = 200;

/** JSON with comments and trailing commas, read. */
export type JsoncDocument = {
  /** Undefined when there is nothing but white space and comments. */
  readonly value: JsonValue | undefined;
  /** Paths of properties written more than once in one object; the last one counts. */
  readonly duplicates: readonly JsonPath[];
  /** `file:line:column`, counted from 1, of a value, or of the nearest object around it that is there. */
  readonly locate: (path: JsonPath) => string;
  /** Like `locate`, of a property's name instead of its value. */
  readonly locateKey: (path: JsonPath) => string;
  /** A number that orders paths by their place in the file. */
  readonly offsetOf: (path: JsonPath) => number;
};

/** Reads JSONC; throws a UserError with `file:line:column`, what was found and what was wanted for a syntax error. */
export function parseJsonc(source: string, file: string): JsoncDocument {
  const text = source.replace(/^\uFEFF/, "");
  const errors: ParseError[] = [];
  const root = readTree(text, { file, errors });
  const where = (offset: number) => `${file}:${positionOf(text, offset)}`;
  const [error] = errors;
  if (error !== undefined && (root !== undefined || error.offset < text.length)) {
    throw new UserError(`${where(error.offset)}: ${describeSyntaxError(text, error)}`);
  }
  const offsetOf = (path: JsonPath) => nodesAlong(root, path).at(-1)?.offset ?? 0;
  const duplicates: JsonPath[] = [];
  const value = root === undefined ? undefined : jsonOf(root, [], { file, duplicates });
  return {
    value,
    duplicates,
    locate: (path) => where(offsetOf(path)),
    locateKey: (path) => where(keyOf(root, path)?.offset ?? offsetOf(path)),
    offsetOf,
  };
}

function readTree(text: string, context: { file: string; errors: ParseError[] }): Node | undefined {
  try {
    return parseTree(text, context.errors, { allowTrailingComma: true });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep(context.file);
    throw cause;
  }
}

function tooDeep(file: string): UserError {
  return new UserError(`${file}: its objects and arrays are nested too deeply; wanted at most ${maximumDepth} levels.`);
}

type Reading = { readonly file: string; readonly duplicates: JsonPath[] };

function jsonOf(node: Node, path: JsonPath, reading: Reading): JsonValue {
  if (path.length > maximumDepth) throw tooDeep(reading.file);
  const children = node.children ?? [];
  switch (node.type) {
    case "array":
      return children.map((child, index) => jsonOf(child, [...path, index], reading));
    case "object":
      return objectOf(children, path, reading);
    default:
      return node.value;
  }
}

function objectOf(properties: readonly Node[], path: JsonPath, reading: Reading): JsonObject {
  const members = new Map<string, JsonValue>();
  const repeated = new Set<string>();
  for (const property of properties) {
    const [key, value] = property.children ?? [];
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (members.has(name)) repeated.add(name);
    members.set(name, jsonOf(value, [...path, name], reading));
  }
  reading.duplicates.push(...[...repeated].map((name) => [...path, name]));
  return Object.fromEntries(members);
}

/** The nodes from the top along the path, as far as it is there; of repeated properties the last, which is the one that counts. */
function nodesAlong(root: Node | undefined, path: JsonPath): Node[] {
  const nodes = root === undefined ? [] : [root];
  for (const step of path) {
    const node = nodes.at(-1);
    const next = typeof step === "number" ? node?.children?.[step] : propertyOf(node, step)?.children?.[1];
    if (next === undefined) break;
    nodes.push(next);
  }
  return nodes;
}

function keyOf(root: Node | undefined, path: JsonPath): Node | undefined {
  const parent = nodesAlong(root, path.slice(0, -1)).at(-1);
  return propertyOf(parent, String(path.at(-1)))?.children?.[0];
}

function propertyOf(node: Node | undefined, name: string): Node | undefined {
  return node?.type === "object"
    ? node.children?.findLast((property) => property.children?.[0]?.value === name)
    : undefined;
}

function positionOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}
