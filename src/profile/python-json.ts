import { isJsonObject } from "../json.ts";

/** A number as its JSON text has it: Python tells 1 from 1.0. */
class NumberText {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** A JSON document whose numbers are kept as they are written. */
export interface ExactJson {
  readonly root: unknown;
}

/** Reads a JSON text for `pythonJson`; throws SyntaxError as JSON.parse does. */
export function parseExactJson(text: string): ExactJson {
  const keepNumber = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" ? new NumberText(context?.source ?? String(value)) : value;
  return { root: JSON.parse(text, keepNumber) };
}

/** A member of a document's object; undefined where there is none. */
export function exactMember({ root }: ExactJson, name: string): ExactJson | undefined {
  return isJsonObject(root) && Object.hasOwn(root, name) ? { root: root[name] } : undefined;
}

/** The document with one member of its object set to a text. */
export function withExactMember({ root }: ExactJson, name: string, value: string): ExactJson {
  return { root: { ...(isJsonObject(root) ? root : {}), [name]: value } };
}

/**
 * The bytes of Python's `json.dumps(value, sort_keys=True, separators=(",", ":"))`: keys in the order of their code points, everything
 * that is not printable ASCII escaped, numbers as Python writes them.
 */
export function pythonJson({ root }: ExactJson): string {
  return write(root);
}

function write(value: unknown): string {
  if (value instanceof NumberText) return pythonNumber(value.source);
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => compareCodePoints(left, right));
  return `{${members.map(([key, member]) => `${quote(key)}:${write(member)}`).join(",")}}`;
}

/** A number's JSON text as Python's `str` gives it back: whole numbers exactly, others in the shortest form that reads the same. */
export function pythonNumber(source: string): string {
  if (!/[.eE]/.test(source)) return source === "-0" ? "0" : source;
  const value = Number(source);
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  const [mantissa = "0", power = "0"] = value.toExponential().split("e");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length === 1 ? "" : `.${digits.slice(1)}`;
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits.slice(0, 1)}${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

function quote(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** UTF-16 puts what is beyond the basic plane before U+E000; Python does not. */
function compareCodePoints(left: string, right: string): number {
  const [leftPoints, rightPoints] = [Array.from(left), Array.from(right)];
  for (const [index, character] of leftPoints.entries()) {
    const other = rightPoints[index];
    if (other === undefined) return 1;
    const difference = (character.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return leftPoints.length - rightPoints.length;
}
