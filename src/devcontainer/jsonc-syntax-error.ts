import { createScanner, type ParseError, printParseErrorCode } from "jsonc-parser";

/** What a JSONC parser found and what it wanted, in words. */
export function describeSyntaxError(text: string, error: ParseError): string {
  return `found ${foundAt(text, error)}; wanted ${wanted(text, error)}.`;
}

function foundAt(text: string, error: ParseError): string {
  if (error.offset >= text.length) return "the end of the file";
  const token = text.slice(error.offset, error.offset + Math.max(1, error.length)).split("\n")[0] ?? "";
  const short = token.length > 24 ? `${token.slice(0, 24)}…` : token;
  return short.includes('"') ? short : `"${short}"`;
}

function wanted(text: string, error: ParseError): string {
  const opener = openerBefore(text, error.offset);
  switch (printParseErrorCode(error.error)) {
    case "PropertyNameExpected":
      return "a property name in double quotes";
    case "ValueExpected":
      return opener === undefined ? "an object" : "a value";
    case "ColonExpected":
      return 'a ":" after the property name';
    case "CommaExpected":
      return opener === undefined
        ? "the end of the file"
        : `a "," or the "${opener.closer}" of the "${opener.char}" in line ${opener.line}`;
    case "CloseBraceExpected":
    case "CloseBracketExpected":
      return opener === undefined
        ? "the end of the file"
        : `the "${opener.closer}" of the "${opener.char}" in line ${opener.line}`;
    case "EndOfFileExpected":
      return "the end of the file";
    case "UnexpectedEndOfComment":
    case "InvalidCommentToken":
      return 'a "*/" that ends the comment';
    case "UnexpectedEndOfString":
      return "a closing double quote on the same line";
    case "UnexpectedEndOfNumber":
    case "InvalidNumberFormat":
      return "a digit at the end of the number";
    case "InvalidUnicode":
      return 'four hexadecimal digits after "\\u"';
    case "InvalidEscapeCharacter":
      return 'an escape that JSON has: \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u';
    case "InvalidCharacter":
      return "control characters written as escapes, a tab as \\t";
    default:
      if (opener === undefined) return text.slice(0, error.offset).trim() === "" ? "an object" : "the end of the file";
      return opener.char === "{" && expectsName(text, error.offset)
        ? "a property name in double quotes"
        : "true, false, null, a number, or text in double quotes";
  }
}

/** The bracket that is open at an offset. */
function openerBefore(text: string, end: number): { char: string; closer: string; line: number } | undefined {
  const open: { char: string; closer: string; line: number }[] = [];
  const scanner = createScanner(text, true);
  for (scanner.scan(); scanner.getTokenOffset() < end && scanner.getTokenLength() > 0; scanner.scan()) {
    const char = text.slice(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength());
    const line = scanner.getTokenStartLine() + 1;
    if (char === "{") open.push({ char, closer: "}", line });
    else if (char === "[") open.push({ char, closer: "]", line });
    else if (char === "}" || char === "]") open.pop();
  }
  return open.at(-1);
}

/** True when the last token before the offset is one that a property name follows. */
function expectsName(text: string, end: number): boolean {
  const scanner = createScanner(text, true);
  let last = "";
  for (scanner.scan(); scanner.getTokenOffset() < end && scanner.getTokenLength() > 0; scanner.scan()) {
    last = text.slice(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength());
  }
  return last === "{" || last === ",";
}
