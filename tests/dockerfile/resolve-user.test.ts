// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of their own.
import { describe, expect, test } from "bun:test";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { resolveUser } from "../../src/dockerfile/resolve-user.ts";

const platformArguments = { TARGETARCH: "amd64", TARGETOS: "linux", TARGETPLATFORM: "linux/amd64" };

function userOf(text: string, query: Parameters<typeof resolveUser>[1] = {}): string {
  return resolveUser(parseDockerfile(text, "Dockerfile"), { platformArguments, ...query });
}

/** Every expectation in this table is what BuildKit (Docker 26.1) put into the image's config. */
const builtByBuildKit: readonly [
  behaviour: string,
  dockerfile: string,
  user: string,
  buildArgs?: Record<string, string>,
][] = [
  ["an ARG after an ENV of the same name wins", "FROM scratch\nENV V=1\nARG V=2\nUSER u$V\n", "u2"],
  ["an ENV after an ARG of the same name wins", "FROM scratch\nARG V=2\nENV V=1\nUSER u$V\n", "u1"],
  ["a build argument replaces an ARG's default", "FROM scratch\nENV V=1\nARG V=2\nUSER u$V\n", "u3", { V: "3" }],
  ["an ARG without a value does not hide an ENV", "FROM scratch\nENV V=1\nARG V\nUSER u$V\n", "u1"],
  ["a global ARG is not seen by a stage that does not ask for it", "ARG P=x\nFROM scratch\nUSER u$P\n", "u"],
  ["a stage asks for a global ARG by repeating it", "ARG P=x\nFROM scratch\nARG P\nUSER u$P\n", "ux"],
  ["a stage's own default wins over the global ARG", "ARG P=x\nFROM scratch\nARG P=y\nUSER u$P\n", "uy"],
  ["a build argument wins over both defaults", "ARG P=x\nFROM scratch\nARG P=y\nUSER u$P\n", "uz", { P: "z" }],
  ["an empty default is a value", "ARG P=x\nFROM scratch\nARG P=\nUSER u$P\n", "u"],
  ["a build argument that no ARG names is unknown", "FROM scratch\nUSER u$P\n", "u", { P: "z" }],
  ["a stage inherits its parent's ARGs", "FROM scratch AS a\nARG P=y\nFROM a\nUSER u$P\n", "uy"],
  [
    "a stage inherits nothing from a stage it does not build on",
    "ARG P=x\nFROM scratch AS a\nARG P\nFROM scratch AS b\nUSER u$P\n",
    "u",
  ],
  ["an empty USER undoes the parent's", "FROM scratch AS a\nUSER bob\nFROM a\nUSER $NOPE\n", "root"],
  ["an empty USER undoes an earlier one", "FROM scratch AS a\nUSER bob\nUSER $NOPE\n", "root"],
  ["a stage inherits its parent's USER", "FROM scratch AS a\nUSER bob\nFROM a\nENV A=1\n", "bob"],
  ["the builder's variables must be asked for", "FROM scratch\nUSER u$TARGETARCH\n", "u"],
  ["the builder's variables come with an ARG", "FROM scratch\nARG TARGETARCH\nUSER u$TARGETARCH\n", "uamd64"],
  ["a default hides the builder's variable", "FROM scratch\nARG TARGETARCH=foo\nUSER u$TARGETARCH\n", "ufoo"],
  [
    "a global ARG hides the builder's variable",
    "ARG TARGETARCH=foo\nFROM scratch\nARG TARGETARCH\nUSER u$TARGETARCH",
    "ufoo",
  ],
  ["one ENV sees none of its own names", "FROM scratch\nENV abc=hello\nENV abc=bye def=$abc\nUSER u$def\n", "uhello"],
  ["one ARG sees none of its own names", "FROM scratch\nARG A=1 B=$A\nUSER $A$B\n", "1"],
  ["global ARGs see the ones before them", "ARG A=1\nARG B=q$A\nFROM scratch\nARG B\nUSER $B", "q7", { A: "7" }],
  ["an ARG's default sees ENV", "FROM scratch\nENV E=5\nARG B=q$E\nUSER $B", "q5"],
  [
    "the older ENV form takes the rest of the line",
    'FROM scratch\nENV A=1\nENV L  some   $A "q" \nUSER $L\n',
    "some   1 q",
  ],
  ["quotes glue words together", `FROM scratch\nENV "A B"=1 C="a"b'c d'"\\""\nUSER $C`, 'abc d"'],
  ["an escaped space stays in the value", "FROM scratch\nENV D=q\\ r\nUSER $D", "q r"],
  [
    "modifiers tell unset from empty",
    "FROM scratch\nENV A=1\nUSER \\$A-${A}-${B:-w$A}-${A:+p}-${A+q}-${B-r}-${B+s}-${E:-}\n",
    "$A-1-w1-p-q-r--",
  ],
  ["single quotes keep variables", `FROM scratch\nENV A=1\nUSER x'$A'"$A\\$A\\"\\n"\n`, 'x$A1$A"\\n'],
  [
    "patterns cut and replace",
    "FROM scratch\nENV A=abcabc\nUSER ${A#a}-${A%c}-${A/b/X}-${A//b/X}-${A##*b}-${A%%b*}\n",
    "bcabc-abcab-aXcabc-aXcaXc-c-a",
  ],
  ["modifiers nest", "FROM scratch\nENV B=2\nUSER ${A:-${B:+${C:-deep}}}\n", "deep"],
  ["a modifier's word may be quoted", `FROM scratch\nUSER \${A:-"q r"}|\${A:-'$B'}\n`, "q r|$B"],
  ["the shell's special parameters are empty", "FROM scratch\nUSER $1a-$9-$*-$@-$-$\n", "a----$"],
  ["a backslash escapes any character", "FROM scratch\nUSER DOM\\bob\n", "DOMbob"],
  [
    "the escape directive frees the backslash",
    "# escape=`\nFROM scratch\nENV A=1\nUSER DOM\\bob`$A`\n$A\n",
    "DOM\\bob$A1",
  ],
  ["a sentence with an = is no directive", "# syntax is good = x\n# escape=`\nFROM scratch\nUSER a`$b\n", "a`"],
  ["a directive after another comment is a comment", "# foo=bar\n# escape=`\nFROM scratch\nUSER a`$b\n", "a`"],
  ["a directive after a blank line is a comment", "\n# escape=`\nFROM scratch\nUSER a`$b\n", "a`"],
  ["comments and blank lines do not end a continued line", "FROM scratch\nENV A=1 \\\n\n # c\n B=2\nUSER $B\n", "2"],
  ["a continued word goes on after a comment", "FROM scratch\nENV A=a\\\n#c\nb\nUSER $A\n", "ab"],
  ["a continued line keeps its indentation", "FROM scratch\nUSER a\\\n   b\n", "a   b"],
  ["a here-document may have a file descriptor", "FROM scratch\nCOPY 3<<EOF /x\nUSER z\nEOF\nUSER y\n", "y"],
  ["ONBUILD may open a here-document", "FROM scratch\nONBUILD COPY <<EOF /x\nUSER z\nEOF\nUSER y\n", "y"],
  ["a name may be split over lines", "FROM scr\\\natch AS\\\n  k\nUSER 1\nFROM k\n", "1"],
  ["a stage may be called like an image", "FROM scratch AS scratch\nUSER x\nFROM scratch\n", "x"],
  ["a stage may reuse its base's name", "FROM scratch AS a\nUSER x\nFROM a AS a\nENV X=1\nFROM a\n", "x"],
];

describe("resolveUser agrees with the builder:", () => {
  for (const [behaviour, dockerfile, user, buildArgs] of builtByBuildKit) {
    test(behaviour, () => {
      expect(userOf(dockerfile, { buildArgs })).toBe(user);
    });
  }
});

test("without a USER the base image's user counts, and root where it has none", () => {
  expect(userOf("FROM debian\n", { baseUser: "node" })).toBe("node");
  expect(userOf("FROM debian\n", { baseUser: "" })).toBe("root");
  expect(userOf("FROM debian\n")).toBe("root");
});

test("a USER wins over the base image's user", () => {
  expect(userOf("FROM debian\nUSER 1000:1000\n", { baseUser: "node" })).toBe("1000:1000");
});

test("variables of the base image are known, and hidden by the Dockerfile's own", () => {
  expect(userOf("FROM debian\nUSER $NAME\n", { baseEnv: { NAME: "vscode" } })).toBe("vscode");
  expect(userOf("FROM debian\nARG NAME=me\nUSER $NAME\n", { baseEnv: { NAME: "vscode" } })).toBe("me");
});

test("only the chain of the target stage counts", () => {
  const text = "FROM debian AS a\nUSER one\nFROM debian AS b\nUSER two\nFROM a\n";
  expect(userOf(text)).toBe("one");
  expect(userOf(text, { target: "b" })).toBe("two");
});

test("a USER in a here-document, a continued line, a quoted << or a comment is none or the one it is", () => {
  expect(userOf("FROM a\nRUN <<EOF\nFROM b\nUSER x\nEOF\nUSER y\n")).toBe("y");
  expect(userOf("FROM a\r\nRUN <<EOF\r\nUSER z\r\nEOF\r\nUSER y\r\n")).toBe("y");
  expect(userOf("FROM a\nCOPY <<A <<'B' /d/\nUSER p\nA\nUSER q\nB\nUSER y\n")).toBe("y");
  expect(userOf("FROM a\nRUN cat <<-EOF \\\n  > /x\n\tUSER z\n\tEOF\nuser\ty\n")).toBe("y");
  expect(userOf('FROM a\nRUN echo "cat <<EOF > x"\nUSER y\n')).toBe("y");
  expect(userOf("FROM a\nRUN cat <<<word\nUSER y\n")).toBe("y");
  expect(userOf("FROM a\nCMD cat <<EOF\nUSER y\n")).toBe("y");
  expect(userOf("FROM a\n# RUN <<EOF\nUSER y\n")).toBe("y");
  expect(userOf("FROM a\nRUN echo \\\n# RUN <<EOF\n\n  USER k\nUSER y\n")).toBe("y");
  expect(userOf("FROM a\nRUN echo <\\\n<EOF\nUSER x\nEOF\nUSER y\n")).toBe("y");
  expect(userOf("FROM a\nRUN <<EOF\nA=\\\nEOF\nUSER y\n")).toBe("y");
});

test("a word that the builder cannot read is an error at its line", () => {
  expect(() => userOf('FROM a\nUSER "abc\n')).toThrow('Dockerfile:2: cannot read "\\"abc": a " is never closed.');
  expect(() => userOf("FROM a\nUSER 'abc\n")).toThrow("a ' is never closed");
  expect(() => userOf("FROM a\nUSER ${A\n")).toThrow('a "${" is never closed by "}"');
  expect(() => userOf("FROM a\nUSER ${A:-b\n")).toThrow('a "${" is never closed by "}"');
  expect(() => userOf("FROM a\nUSER ${A^}\n")).toThrow('"^" is no known modifier of a variable');
  expect(() => userOf("FROM a\nUSER ${A:#b}\n")).toThrow('":#" is no known modifier');
  expect(() => userOf("FROM a\nUSER ${}\n")).toThrow('a "${" is not followed by a variable name');
  expect(() => userOf("FROM a\n\nUSER ${A:?give it}\n")).toThrow("Dockerfile:3: cannot read");
  expect(() => userOf("FROM a\nUSER ${A?give it}\n")).toThrow("the variable A is not set: give it");
});
