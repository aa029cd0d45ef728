// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of their own.
import { expect, test } from "bun:test";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";

function parse(text: string) {
  return parseDockerfile(text, "Dockerfile");
}

test("a stage knows its base, name, platform and line", () => {
  const text =
    '# syntax=docker/dockerfile:1\nARG V=1\n\nfrom  --platform=$BUILDPLATFORM\t"a:$V"\tAs Build\nFROM b@sha256:0\n';
  expect(parse(text).stages.map(({ instructions: _, imageEnd, ...stage }) => [stage, text.slice(0, imageEnd)])).toEqual(
    [
      [
        { index: 0, name: "Build", baseText: '"a:$V"', platformText: "$BUILDPLATFORM", line: 4 },
        '# syntax=docker/dockerfile:1\nARG V=1\n\nfrom  --platform=$BUILDPLATFORM\t"a:$V"',
      ],
      [{ index: 1, name: undefined, baseText: "b@sha256:0", platformText: undefined, line: 5 }, text.trimEnd()],
    ],
  );
});

test("unknown flags of FROM are left to the builder", () => {
  expect(parse("FROM --some=flag --platform=linux/arm64 a AS b\n").stages[0]).toMatchObject({
    baseText: "a",
    name: "b",
    platformText: "linux/arm64",
  });
});

test("ARG, ENV and USER are kept in order, values as written", () => {
  const text = 'ARG G\nFROM a\nARG A=1 B\nENV X="a b" Y=\'c\' \\\n  Z=q\\ r\nenv old style  value\nRUN x\nUSER "$A" \n';
  const { preamble, stages } = parse(text);
  expect(preamble).toEqual([{ kind: "arg", line: 1, pairs: [{ name: "G", value: undefined }] }]);
  expect(stages[0]?.instructions).toEqual([
    {
      kind: "arg",
      line: 3,
      pairs: [
        { name: "A", value: "1" },
        { name: "B", value: undefined },
      ],
    },
    {
      kind: "env",
      line: 4,
      pairs: [
        { name: "X", value: '"a b"' },
        { name: "Y", value: "'c'" },
        { name: "Z", value: "q\\ r" },
      ],
    },
    { kind: "env", line: 6, pairs: [{ name: "old", value: "style  value" }] },
    { kind: "user", line: 8, value: '"$A"' },
  ]);
});

test("a byte order mark and Windows line breaks change nothing", () => {
  const text = "\uFEFF# escape=`\r\nFROM a `\r\n  AS b\r\nUSER me\r\n";
  const model = parse(text);
  expect(model.escapeCharacter).toBe("`");
  expect(model.stages[0]).toMatchObject({ baseText: "a", name: "b", line: 2 });
  expect(model.stages[0]?.instructions).toEqual([{ kind: "user", line: 4, value: "me" }]);
  expect(text.slice(0, model.stages[0]?.imageEnd)).toBe("\uFEFF# escape=`\r\nFROM a");
});

test("the syntax directive comes with the place of its line", () => {
  const text = "# Escape=\\\n#syntax = docker/dockerfile:1.4  \r\nFROM a\n";
  const { syntax } = parse(text);
  expect(syntax?.image).toBe("docker/dockerfile:1.4");
  expect(text.slice(0, syntax?.start) + text.slice(syntax?.end)).toBe("# Escape=\\\nFROM a\n");
});

test("the first of two syntax directives counts, and none after another line", () => {
  expect(parse("# syntax=a\n# syntax=b\nFROM x\n").syntax?.image).toBe("a");
  expect(parse("# hello\n# syntax=a\nFROM x\n").syntax).toBeUndefined();
  expect(parse("FROM x\n# syntax=a\n").syntax).toBeUndefined();
});

test("a Dockerfile without FROM is an error", () => {
  expect(() => parse("# only a comment\nRUN <<EOF\nFROM a\nEOF\n")).toThrow("Dockerfile: no FROM instruction found");
  expect(() => parse("")).toThrow("Dockerfile: no FROM instruction found");
});

test("a FROM that no builder accepts is an error at its line", () => {
  expect(() => parse("\nFROM\n")).toThrow(
    'Dockerfile:2: found nothing after FROM; wanted an image, or an image and "AS <name>".',
  );
  expect(() => parse("FROM a AS\n")).toThrow('found "a AS" after FROM');
  expect(() => parse("FROM a b\n")).toThrow('found "a b" after FROM');
  expect(() => parse("FROM a AS b c\n")).toThrow('found "a AS b c" after FROM');
  expect(() => parse("FROM --platform=linux/amd64\n")).toThrow('found "--platform=linux/amd64" after FROM');
});

test("ten thousand quoted << are read in one go", () => {
  const text = `FROM a\n${'RUN echo "x <<EOF"\n'.repeat(10_000)}USER y\n`;
  expect(parse(text).stages[0]?.instructions).toEqual([{ kind: "user", line: 10_002, value: "y" }]);
});
