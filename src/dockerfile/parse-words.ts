import { UserError } from "../errors.ts";
import { applyModifier, type VariableModifier } from "./parse-modifiers.ts";

/** How words are read: the Dockerfile's escape character, the variables, and `file:line` for messages. */
export type WordContext = {
  readonly escapeCharacter: string;
  readonly where: string;
  readonly variables: (name: string) => string | undefined;
};

/**
 * The words of an instruction's arguments as the builder splits them: at white space outside quotes, quotes and escapes
 * kept as written.
 */
export function splitWords(text: string, escapeCharacter: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word = (word ?? "") + char;
    if (char === escapeCharacter && quote !== "'") {
      index++;
      word += text.charAt(index);
    } else if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = undefined;
  }
  return word === undefined ? words : [...words, word];
}

/**
 * A word with quotes and escapes removed and `$X`, `${X}` and `${X<modifier>…}` replaced, as the builder does it; an
 * unset variable is empty. Throws a UserError for an open quote, a broken `${` or an unset `${X:?message}`.
 */
export function expandWord(word: string, context: WordContext): string {
  return new WordReader(word, context).readUntil(undefined);
}

class WordReader {
  private position = 0;
  private readonly word: string;
  private readonly context: WordContext;

  constructor(word: string, context: WordContext) {
    this.word = word;
    this.context = context;
  }

  readUntil(stop: string | undefined): string {
    let result = "";
    while (this.position < this.word.length) {
      const char = this.word.charAt(this.position);
      if (char === stop) {
        this.position++;
        return result;
      }
      if (char === "'") result += this.readSingleQuoted();
      else if (char === '"') result += this.readDoubleQuoted();
      else if (char === "$") result += this.readVariable();
      else if (char === this.context.escapeCharacter && this.position + 1 < this.word.length) {
        result += this.word.charAt(this.position + 1);
        this.position += 2;
      } else if (char === this.context.escapeCharacter) this.position++;
      else {
        result += char;
        this.position++;
      }
    }
    if (stop !== undefined) throw this.problem(`a "\${" is never closed by "${stop}"`);
    return result;
  }

  private readSingleQuoted(): string {
    const end = this.word.indexOf("'", this.position + 1);
    if (end === -1) throw this.problem("a ' is never closed");
    const text = this.word.slice(this.position + 1, end);
    this.position = end + 1;
    return text;
  }

  private readDoubleQuoted(): string {
    let result = "";
    this.position++;
    while (this.position < this.word.length) {
      const char = this.word.charAt(this.position);
      const next = this.word.charAt(this.position + 1);
      if (char === '"') {
        this.position++;
        return result;
      }
      if (char === "$") result += this.readVariable();
      else if (
        char === this.context.escapeCharacter &&
        (next === '"' || next === "$" || next === this.context.escapeCharacter)
      ) {
        result += next;
        this.position += 2;
      } else {
        result += char;
        this.position++;
      }
    }
    throw this.problem('a " is never closed');
  }

  private readVariable(): string {
    this.position++;
    if (this.word.charAt(this.position) !== "{") {
      const name = this.readName();
      return name === "" ? "$" : (this.context.variables(name) ?? "");
    }
    this.position++;
    const name = this.readName();
    if (name === "") throw this.problem(`a "\${" is not followed by a variable name`);
    const value = this.context.variables(name);
    const sign = this.word.charAt(this.position);
    this.position++;
    if (sign === "}") return value ?? "";
    const modifier = this.readModifier(sign);
    return applyModifier({ name, value }, modifier, (problem) => this.problem(problem));
  }

  private readModifier(sign: string): VariableModifier {
    const emptyIsUnset = sign === ":";
    const operator = emptyIsUnset ? this.word.charAt(this.position++) : sign;
    switch (operator) {
      case "-":
        return { kind: "default", emptyIsUnset, word: this.readUntil("}") };
      case "+":
        return { kind: "alternative", emptyIsUnset, word: this.readUntil("}") };
      case "?":
        return { kind: "required", emptyIsUnset, word: this.readUntil("}") };
      case "#":
      case "%":
        if (emptyIsUnset) break;
        return {
          kind: operator === "#" ? "prefix" : "suffix",
          ...this.readDoubled(operator),
          pattern: this.readUntil("}"),
        };
      case "/":
        if (emptyIsUnset) break;
        return { kind: "replace", ...this.readDoubled("/"), pattern: this.readUntil("/"), word: this.readUntil("}") };
    }
    throw this.problem(
      operator === ""
        ? `a "\${" is never closed by "}"`
        : `"${emptyIsUnset ? ":" : ""}${operator}" is no known modifier of a variable`,
    );
  }

  private readDoubled(operator: string): { greedy: boolean } {
    const greedy = this.word.charAt(this.position) === operator;
    if (greedy) this.position++;
    return { greedy };
  }

  private readName(): string {
    const match = /^(?:[0-9]+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(this.word.slice(this.position));
    const name = match?.[0] ?? "";
    this.position += name.length;
    return name;
  }

  private problem(what: string): UserError {
    return new UserError(`${this.context.where}: cannot read ${JSON.stringify(this.word)}: ${what}.`);
  }
}
