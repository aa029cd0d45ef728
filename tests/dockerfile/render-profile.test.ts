import { expect, test } from "bun:test";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { readInstructions } from "../../src/dockerfile/parse-instructions.ts";
import { renderProfileDockerfile, withInstallCaches } from "../../src/dockerfile/render-profile.ts";
import { BUILD_VARIANTS, type VariantName } from "../../src/profile/build-variant.ts";
import { profileBaseImage } from "../../src/profile/profile-base.ts";
import { parseRepoProfile } from "../../src/profile/repo-profile.ts";

function render(profile: object, name: VariantName = "standard") {
  const read = parseRepoProfile(JSON.stringify(profile), "p.json").profile;
  const variant = BUILD_VARIANTS.find((candidate) => candidate.name === name) ?? BUILD_VARIANTS[0];
  if (variant === undefined) throw new Error("no variants");
  return renderProfileDockerfile({ profile: read, baseImage: profileBaseImage(read), variant });
}

const PROFILE = {
  python_version_target: ">=3.9,<4",
  install_cmds: ["  python -m pip install -e . ", "", "  ", "pip install pytest"],
  env: { PYTHONPATH: "src", A: 'say "hi"' },
};
const TAIL = `WORKDIR /workspace
COPY . /workspace
ENV A="say \\"hi\\""
ENV PYTHONPATH="src"
RUN python -m pip install -e .
RUN pip install pytest
`;
const SOURCES = String.raw`RUN for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do [ ! -f "$file" ] || sed -i -E -e 's#https?://(deb|security|httpredir|ftp)\.debian\.org/#http://archive.debian.org/#g' -e '/^deb.*-updates/d' -e '/^Suites:/s/ [^ ]+-updates//g' "$file"; done \
    && apt-get -o Acquire::Check-Valid-Until=false`;
const UNSIGNED = "-o Acquire::AllowInsecureRepositories=true update && apt-get install -y --allow-unauthenticated";
const CLEAN = " \\\n    && rm -rf /var/lib/apt/lists/*\n";

const GOLDEN: Readonly<Record<VariantName, string>> = {
  standard: `RUN apt-get update && apt-get install -y git build-essential curl${CLEAN}`,
  builder: `RUN apt-get update && apt-get install -y git build-essential curl python3-dev libffi-dev${CLEAN}`,
  archive: `${SOURCES} update && apt-get install -y git build-essential curl${CLEAN}`,
  "archive-unauth": `${SOURCES} ${UNSIGNED} git build-essential curl${CLEAN}`,
  "builder-archive": `${SOURCES} update && apt-get install -y git build-essential curl python3-dev libffi-dev${CLEAN}`,
  "builder-archive-unauth": `${SOURCES} ${UNSIGNED} git build-essential curl python3-dev libffi-dev${CLEAN}`,
};

for (const { name } of BUILD_VARIANTS) {
  test(`the ${name} Dockerfile is these bytes`, () => {
    expect(render(PROFILE, name).text).toBe(`FROM python:3.9-slim\n${GOLDEN[name]}${TAIL}`);
  });
}

test("packages of the profile come after those that every image has", () => {
  expect(render({ install_cmds: [], packages: ["libpq-dev", "jq"] }).text).toContain(
    "build-essential curl libpq-dev jq \\\n",
  );
  expect(() => render({ install_cmds: [], packages: ["ok", "x; id"] })).toThrow('packages[1]: found "x; id"');
});

test("a value is literal: quotes, backslashes and dollars are escaped, line breaks come from an argument", () => {
  const { text, buildArgs } = render({ install_cmds: [], env: { A: 'q"b\\d$HOME', B: "one\ntwo\n" } });
  expect(text).toContain('ENV A="q\\"b\\\\d\\$HOME"\n');
  expect(text).toContain("ARG COOPER_NEWLINE\nENV A=");
  expect(text).toContain(`ENV B="one\${COOPER_NEWLINE}two\${COOPER_NEWLINE}"\n`);
  expect(buildArgs).toEqual({ COOPER_NEWLINE: "\n" });
});

test.each([
  ["a\nUSER nobody", '["/bin/sh","-c","a\\nUSER nobody"]'],
  ["cat <<EOF > x", '["/bin/sh","-c","cat \\u003c\\u003cEOF > x"]'],
  ["pip install x \\", '["/bin/sh","-c","pip install x \\\\"]'],
  ["--mount=type=bind,target=/x id", '["/bin/sh","-c","--mount=type=bind,target=/x id"]'],
  ['["sh"]', '["/bin/sh","-c","[\\"sh\\"]"]'],
  ["[ -f x ] && y", "[ -f x ] && y"],
  ["echo $((1<<2))", "echo $((1<<2))"],
])("the command %p stays one command of the shell", (command, run) => {
  const { text } = render({ install_cmds: [command] });
  expect(text.split("\n").slice(5)).toEqual([`RUN ${run}`, ""]);
});

test("caches are mounted for apt and for install commands alone, under names of their own", () => {
  const { text, installs, packages } = render({
    install_cmds: ["pip install .", "a\nb"],
    env: { A: "RUN pip install ." },
  });
  const pip = "--mount=type=cache,id=x-pip,target=/root/.cache/pip --mount=type=cache,id=x-uv,target=/root/.cache/uv";
  const apt = "--mount=type=cache,id=x-apt,sharing=locked,target=/var/cache/apt/archives";
  const keep =
    "mkdir -p /var/cache/apt/archives/kept/partial && apt-get -o Dir::Cache::Archives=/var/cache/apt/archives/kept install";
  const withApt = text
    .replace("\nRUN apt-get update", `\nRUN ${apt} apt-get update`)
    .replace("&& apt-get install", `&& ${keep}`);
  expect(withInstallCaches(text, { packages, installs, language: "python", cacheId: "x", aptCacheId: "x-apt" })).toBe(
    withApt
      .replace("\nRUN pip install .", `\nRUN ${pip} pip install .`)
      .replace('RUN ["/bin/sh"', `RUN ${pip} ["/bin/sh"`),
  );
  expect(withInstallCaches(text, { packages, installs, language: "rust", cacheId: "x", aptCacheId: "x-apt" })).toBe(
    withApt,
  );
});

test.each(BUILD_VARIANTS.map(({ name }) => name))("apt keeps what it downloads in the variant %s too", (name) => {
  const { text, installs, packages } = render({ install_cmds: [] }, name);
  const cached = withInstallCaches(text, { packages, installs, language: "python", cacheId: "x", aptCacheId: "x-apt" });
  expect(cached.match(/--mount=type=cache,id=x-apt/g)).toHaveLength(1);
  expect(cached.match(/Dir::Cache::Archives=\S+\/kept install -y/g)).toHaveLength(1);
  expect(cached).not.toContain("apt-get install");
});

test("what no Dockerfile can hold is refused by name", () => {
  expect(() => render({ install_cmds: [], env: { "A=B": "" } })).toThrow('env: "A=B" is not a valid name');
  expect(() => render({ install_cmds: [], env: { A: "a\0b" } })).toThrow("env.A contains a NUL");
  expect(() => render({ install_cmds: ["true", "a\0b"] })).toThrow("install_cmds[1] contains a NUL");
});

test("200 profiles in any order of keys have one id and one text, with an instruction for every command", () => {
  const next = randomNumbers(6);
  const characters = ["a", "Z", "0", " ", '"', "'", "\\", "$", "\n", "#", "<", "<<E", "[", "é", "😀", "-", ";", "\t"];
  const word = (length: number) =>
    Array.from({ length }, () => characters[Math.floor(next() * characters.length)] ?? "").join("");
  for (let round = 0; round < 200; round += 1) {
    const env = Object.fromEntries(
      Array.from({ length: Math.floor(next() * 5) }, (_value, index) => [
        `V${index}${next() < 0.5 ? "x" : ""}`,
        word(6),
      ]),
    );
    const install_cmds = Array.from({ length: Math.floor(next() * 4) }, () => word(8));
    const profile = { install_cmds, env, python_version_target: "3.12", reason: word(4), status: "partial" };
    const shuffled = shuffle({ ...profile, env: shuffle(env, next) }, next);
    const [first, second] = [profile, shuffled].map((one) => parseRepoProfile(JSON.stringify(one), "p"));
    expect(second?.id).toBe(first?.id ?? "");
    const { text, installs } = render(profile);
    expect(render(shuffled).text).toBe(text);
    expect(parseDockerfile(text, "Dockerfile").stages).toHaveLength(1);
    const runs = [...readInstructions(text, "\\")].filter(({ keyword }) => keyword === "RUN");
    expect(runs).toHaveLength(1 + installs.length);
  }
});

function shuffle(object: object, next: () => number): object {
  const entries = Object.entries(object).map((entry) => ({ entry, place: next() }));
  return Object.fromEntries(entries.sort((left, right) => left.place - right.place).map(({ entry }) => entry));
}

/** The same numbers in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
