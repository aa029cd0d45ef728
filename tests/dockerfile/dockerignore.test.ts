import { describe, expect, test } from "bun:test";
import { createDockerignore } from "../../src/dockerfile/dockerignore.ts";

const files = [
  "a",
  "b.txt",
  "foo",
  "xfoo",
  "foo1",
  "dir/foo",
  "dir/a",
  "dir/sub/foo",
  "dir/sub/deep/a.txt",
  "src/index.ts",
  "src/lib/x.ts",
  "pkg/node_modules/n.js",
  "node_modules/m.js",
  "[x]",
  "#h",
  "q?",
  ".git/config",
];

/** Which files each .dockerignore excludes: what `docker buildx build` (Docker 26.1) left out of `COPY . /`. */
const table: readonly [behaviour: string, text: string, ignored: readonly string[]][] = [
  ["a name is that of the top level only", "a", ["a"]],
  ["a leading slash, ./ and .. change nothing", "/a\n./b.txt\ndir/../foo", ["a", "b.txt", "foo"]],
  [
    "a directory goes with all that is in it, slash or not",
    "dir/",
    ["dir/foo", "dir/a", "dir/sub/foo", "dir/sub/deep/a.txt"],
  ],
  ["double slashes are one", "dir//foo", ["dir/foo"]],
  ["a star stays within a name", "*foo", ["foo", "xfoo"]],
  ["a question mark is one character", "fo?", ["foo"]],
  ["a star in the middle is one level", "*/foo", ["dir/foo"]],
  ["two stars are any number of levels, none included", "**/foo", ["foo", "dir/foo", "dir/sub/foo"]],
  ["two stars before a bare name compare the path's end", "**foo", ["foo", "xfoo", "dir/foo", "dir/sub/foo"]],
  ["two stars in the middle may be no level", "dir/**/foo", ["dir/foo", "dir/sub/foo"]],
  ["two stars at the end are everything below", "src/**", ["src/index.ts", "src/lib/x.ts"]],
  ["two stars work within a pattern of more", "src/**/*.ts", ["src/index.ts", "src/lib/x.ts"]],
  ["a directory at any level", "**/node_modules", ["pkg/node_modules/n.js", "node_modules/m.js"]],
  ["a set is one character", "[a-b]", ["a"]],
  ["a negated set is any other character", "[^b-z]", ["a"]],
  ["a backslash takes the next character literally", "\\[x\\]\nq\\?\n\\#h", ["[x]", "#h", "q?"]],
  ["a comment starts in the first column", "#h\n #h", ["#h"]],
  ["a later line re-includes", "*\n!dir/sub\n!*.txt", without("dir/sub/foo", "dir/sub/deep/a.txt", "b.txt")],
  ["a re-included directory brings all that is in it", "*\n!src", without("src/index.ts", "src/lib/x.ts")],
  ["a still later line excludes again", "*\n!src\nsrc/lib", without("src/index.ts")],
  ["one file comes back out of an excluded tree", "**\n!dir/sub/foo", without("dir/sub/foo")],
  ["re-including what nobody excluded does nothing", "!a", []],
  ["a rule that was not asked about the directory does not hold for its files", "dir\n!*/foo\ndir", dirWithoutFoo()],
  ["Windows line breaks, a byte order mark and blank lines do not count", "\uFEFFa\r\n\r\nfoo\r\n", ["a", "foo"]],
  ["names are compared with regard to case", "DIR\nFOO", []],
  ["patterns that leave the context match nothing", "..\n/\n.", []],
];

function without(...kept: string[]): string[] {
  return files.filter((file) => !kept.includes(file));
}

function dirWithoutFoo(): string[] {
  return ["dir/a", "dir/sub/foo", "dir/sub/deep/a.txt"];
}

describe("createDockerignore:", () => {
  for (const [behaviour, text, ignored] of table) {
    test(behaviour, () => {
      const dockerignore = createDockerignore(text);
      expect(files.filter((file) => dockerignore.isIgnored(file))).toEqual([...ignored]);
    });
  }
});

test("an ignored directory with a re-included file in it must be walked", () => {
  for (const [, text] of table) {
    const dockerignore = createDockerignore(text);
    for (const file of files.filter((each) => !dockerignore.isIgnored(each))) {
      const names = file.split("/");
      const parents = names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
      const pruned = parents.filter(
        (parent) => dockerignore.isIgnored(parent) && !dockerignore.mayContainReincluded(parent),
      );
      expect(pruned).toEqual([]);
    }
  }
});

test("an ignored directory that nothing comes back from is not walked", () => {
  expect(createDockerignore("node_modules").mayContainReincluded("node_modules")).toBe(false);
  const dockerignore = createDockerignore("*\n!src/*/keep\n!docs/[a-z]/**");
  expect(dockerignore.mayContainReincluded("node_modules")).toBe(false);
  expect(dockerignore.mayContainReincluded("src")).toBe(true);
  expect(dockerignore.mayContainReincluded("src/lib")).toBe(true);
  expect(dockerignore.mayContainReincluded("docs/a/b")).toBe(true);
});

test("a pattern that the builder rejects is an error at its line", () => {
  expect(() => createDockerignore("a\n[")).toThrow('.dockerignore:2: cannot read the pattern "["');
  expect(() => createDockerignore("[]a]")).toThrow('its "[" starts no set like "[a-z]"');
  expect(() => createDockerignore("[a-]")).toThrow('its "[" starts no set like "[a-z]"');
  expect(() => createDockerignore("a\\", "app/Dockerfile.dockerignore")).toThrow(
    "app/Dockerfile.dockerignore:1: cannot read the pattern",
  );
  expect(() => createDockerignore("\n!")).toThrow('.dockerignore:2: found "!" alone');
});

test("a pattern made to backtrack is answered all the same", () => {
  const dockerignore = createDockerignore(`${"**/*a".repeat(60)}b`);
  expect(dockerignore.isIgnored(`${"aa/".repeat(80)}c`)).toBe(false);
});
