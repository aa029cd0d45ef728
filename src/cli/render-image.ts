import { formatSize } from "../host/format-size.ts";
import { isJsonObject, type JsonValue } from "../json.ts";
import type { InspectedLayer, Inspection } from "../workflows/inspect-image.ts";

const barWidth = 30;
const labelWidth = 12;
const narrowest = 60;

/** An image's facts as lines for people, its layers as bars to scale; lines end at `columns`. */
export function renderImage(name: string, inspection: Inspection, { columns }: { columns: number }): string {
  const { digest, manifestDigest, platform, platforms, created, size, layers, config } = inspection;
  const of = platforms.length === 0 ? "" : ` (there is ${platforms.join(", ")})`;
  const facts: [string, string][] = [
    ["digest", digest],
    ...(manifestDigest === digest ? [] : [["manifest", manifestDigest] satisfies [string, string]]),
    ["platform", `${platform}${of}`],
    ...(created === undefined ? [] : [["created", created] satisfies [string, string]]),
    ["size", `${formatSize(size)} in ${layers.length} ${layers.length === 1 ? "layer" : "layers"}`],
    ...factsOf(config),
    ...Object.entries(inspection.annotations).map(([key, value]): [string, string] => [
      "annotation",
      `${key}=${value}`,
    ]),
  ];
  const width = Math.max(columns, narrowest);
  const lines = [printable(name), ...labelled(facts), ...(layers.length === 0 ? [] : ["", ...renderLayers(layers)])];
  return `${lines.map((line) => cut(line, width)).join("\n")}\n`;
}

/** What containers start with, in the words of a Dockerfile. */
function factsOf(config: Inspection["config"]): [string, string][] {
  const names: readonly [label: string, key: string][] = [
    ["user", "User"],
    ["workdir", "WorkingDir"],
    ["entrypoint", "Entrypoint"],
    ["cmd", "Cmd"],
    ["stop signal", "StopSignal"],
    ["expose", "ExposedPorts"],
    ["volume", "Volumes"],
  ];
  const single = names.flatMap(([label, key]): [string, string][] => {
    const text = textOf(config[key]);
    return text === "" ? [] : [[label, text]];
  });
  const env = Array.isArray(config["Env"]) ? config["Env"].map(String) : [];
  const labels = isJsonObject(config["Labels"]) ? Object.entries(config["Labels"]) : [];
  return [
    ...single,
    ...env.map((entry): [string, string] => ["env", entry]),
    ...labels.map(([key, value]): [string, string] => ["label", `${key}=${String(value)}`]),
  ];
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.length === 0 ? "" : JSON.stringify(value);
  if (isJsonObject(value)) return Object.keys(value).join(" ");
  return String(value);
}

/** A label is written once for all lines that follow under it. */
function labelled(facts: readonly (readonly [string, string])[]): string[] {
  return facts.map(([label, text], index) => {
    const shown = facts[index - 1]?.[0] === label ? "" : label;
    return `${shown.padEnd(labelWidth)}${printable(text)}`;
  });
}

function renderLayers(layers: readonly InspectedLayer[]): string[] {
  const largest = Math.max(...layers.map(({ size }) => size), 1);
  return layers.map(({ size, digest, createdBy }, index) => {
    const eighths = Math.max(Math.round((size / largest) * barWidth * 8), 1);
    const bar = "█".repeat(Math.floor(eighths / 8)) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    const number = String(index + 1).padStart(String(layers.length).length);
    const short = digest.slice("sha256:".length, "sha256:".length + 12);
    const step = printable(createdBy ?? "").replace(/\s+/g, " ");
    return `${number} ${bar.padEnd(barWidth)} ${formatSize(size).padStart(8)}  ${short}  ${step}`.trimEnd();
  });
}

function cut(line: string, width: number): string {
  // Half a digest is no use to anybody.
  return line.length <= width || /sha256:[0-9a-f]{64}$/.test(line) ? line : `${line.slice(0, width - 1)}…`;
}

/** What an image says of itself must not move the cursor. */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}
