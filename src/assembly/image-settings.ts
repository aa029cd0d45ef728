import { UserError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Image } from "../oci/image.ts";

/** What is said about how an image's containers start; undefined and empty leave what the base says. */
export type ImageSettings = {
  /** `NAME=value`; a name that the base has gets the new value in its place. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly workingDirectory: string | undefined;
  readonly user: string | undefined;
  /** `8080/tcp` */
  readonly exposedPorts: readonly string[];
};

/** The image with these settings. As in a Dockerfile, a new entrypoint drops the base's command. */
export function applySettings(image: Image, settings: ImageSettings): Image {
  const before = isJsonObject(image.config["config"]) ? image.config["config"] : {};
  const after: JsonObject = { ...before };
  if (settings.user !== undefined) after["User"] = settings.user;
  if (settings.exposedPorts.length > 0) {
    after["ExposedPorts"] = sorted({
      ...objectOf(before["ExposedPorts"]),
      ...Object.fromEntries(settings.exposedPorts.map((port) => [port, {}])),
    });
  }
  if (settings.env.length > 0) after["Env"] = mergeEnv(before["Env"], settings.env);
  if (settings.entrypoint !== undefined) {
    after["Entrypoint"] = [...settings.entrypoint];
    delete after["Cmd"];
  }
  if (settings.command !== undefined) after["Cmd"] = [...settings.command];
  if (settings.workingDirectory !== undefined) after["WorkingDir"] = settings.workingDirectory;
  if (Object.keys(settings.labels).length > 0) {
    after["Labels"] = sorted({ ...objectOf(before["Labels"]), ...settings.labels });
  }
  return { ...image, config: { ...image.config, config: after } };
}

/** `NAME=value` pairs as a map; throws a UserError that names the option for one without a name or "=". */
export function readPairs(pairs: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1) throw invalid(option, { found: pair, wanted: "NAME=value" });
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

/** A command line: a JSON array of words, or one word as it is. */
export function readWords(text: string, option: string): string[] {
  if (!text.startsWith("[")) return [text];
  let words: unknown;
  try {
    words = JSON.parse(text);
  } catch {
    words = undefined;
  }
  const isWords = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((word) => typeof word === "string");
  if (!isWords(words)) throw invalid(option, { found: text, wanted: 'a JSON array like ["/bin/app","--serve"]' });
  return words;
}

/** A port as configs have it: `8080` is `8080/tcp`. */
export function readPort(text: string): string {
  const [, port = "", protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  const number = Number(port);
  if (port === "" || number < 1 || number > 65535) {
    throw invalid("expose", { found: text, wanted: "a port like 8080 or 53/udp" });
  }
  return `${number}/${protocol}`;
}

function mergeEnv(before: JsonValue | undefined, entries: readonly string[]): string[] {
  const merged = Array.isArray(before) ? before.filter((entry) => typeof entry === "string") : [];
  for (const entry of entries) {
    const name = entry.slice(0, entry.indexOf("=") + 1);
    const position = merged.findIndex((known) => known.startsWith(name));
    if (position === -1) merged.push(entry);
    else merged[position] = entry;
  }
  return merged;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, object[key] ?? null]),
  );
}

function invalid(option: string, { found, wanted }: { found: string; wanted: string }): UserError {
  return new UserError(`--${option} was given ${JSON.stringify(found)}: wanted ${wanted}.`);
}
