import { UserError } from "../errors.ts";
import type { DockerfileModel, DockerfileStage, RawPair, StageInstruction } from "./dockerfile-model.ts";
import { type RawInstruction, readInstructions } from "./parse-instructions.ts";
import { readDirectives } from "./parse-lines.ts";
import { splitWords } from "./parse-words.ts";

/**
 * Reads a Dockerfile's stages, variables and users. Throws a UserError with `file:line` when there is no FROM or one that no
 * builder accepts; everything else that is wrong is left to the builder, which says it better.
 */
export function parseDockerfile(text: string, file: string): DockerfileModel {
  const { escapeCharacter, syntax } = readDirectives(text);
  const preamble: Extract<StageInstruction, { kind: "arg" }>[] = [];
  const stages: (DockerfileStage & { instructions: StageInstruction[] })[] = [];
  for (const raw of readInstructions(text, escapeCharacter)) {
    if (raw.keyword === "FROM") {
      stages.push({ ...readFrom(raw, file), index: stages.length, instructions: [] });
      continue;
    }
    const instruction = readInstruction(raw, escapeCharacter);
    if (instruction === undefined) continue;
    const stage = stages.at(-1);
    if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === "arg") preamble.push(instruction);
  }
  if (stages.length === 0) {
    throw new UserError(`${file}: no FROM instruction found; a Dockerfile must have at least one build stage.`, {
      hint: 'Start it with a base image, for example "FROM debian:stable-slim".',
    });
  }
  return { file, text, escapeCharacter, syntax, preamble, stages };
}

function readFrom(raw: RawInstruction, file: string): Omit<DockerfileStage, "index" | "instructions"> {
  const tokens = [...raw.arguments.matchAll(/\S+/g)].map((match) => ({
    text: match[0],
    end: match.index + match[0].length,
  }));
  const firstOther = tokens.findIndex((token) => !token.text.startsWith("--"));
  const flags = tokens.slice(0, firstOther === -1 ? tokens.length : firstOther);
  const [image, as, name, ...rest] = tokens.slice(flags.length);
  const named = as !== undefined && as.text.toLowerCase() === "as" && name !== undefined && rest.length === 0;
  if (image === undefined || (as !== undefined && !named)) {
    const found = raw.arguments === "" ? "nothing" : JSON.stringify(raw.arguments);
    throw new UserError(
      `${file}:${raw.line}: found ${found} after FROM; wanted an image, or an image and "AS <name>".`,
    );
  }
  return {
    name: name?.text,
    baseText: image.text,
    platformText: flags.find((flag) => flag.text.startsWith("--platform="))?.text.slice("--platform=".length),
    line: raw.line,
    imageEnd: (raw.offsets[image.end - 1] ?? 0) + 1,
  };
}

function readInstruction(raw: RawInstruction, escapeCharacter: string): StageInstruction | undefined {
  switch (raw.keyword) {
    case "ARG":
      return { kind: "arg", line: raw.line, pairs: splitWords(raw.arguments, escapeCharacter).map(readPair) };
    case "ENV":
      return { kind: "env", line: raw.line, pairs: readEnvPairs(raw.arguments, escapeCharacter) };
    case "USER":
      return raw.arguments === "" ? undefined : { kind: "user", line: raw.line, value: raw.arguments };
    default:
      return undefined;
  }
}

function readEnvPairs(text: string, escapeCharacter: string): RawPair[] {
  const words = splitWords(text, escapeCharacter);
  const [first] = words;
  if (first === undefined) return [];
  if (first.includes("=")) return words.map(readPair);
  return [{ name: first, value: text.slice(first.length).trimStart() }];
}

function readPair(word: string): RawPair {
  const sign = word.indexOf("=");
  return sign === -1 ? { name: word, value: undefined } : { name: word.slice(0, sign), value: word.slice(sign + 1) };
}
