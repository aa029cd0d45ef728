import { expect, test } from "bun:test";
import { chooseAgentVersion, readAgentVersion } from "../../src/agent/agent-version.ts";
import { AGENTS } from "../../src/agent/agents.ts";
import { probedPaths, readBaseFiles } from "../../src/agent/base-files.ts";
import { chooseVariant, findAgent, hasAvx2 } from "../../src/agent/choose-variant.ts";
import { agentImageName, distinctImageName } from "../../src/agent/image-name.ts";

const opencode = findAgent("opencode");

test.each([
  ["x64", "glibc", true, "opencode-linux-x64"],
  ["x64", "glibc", false, "opencode-linux-x64-baseline"],
  ["x64", "musl", true, "opencode-linux-x64-musl"],
  ["x64", "musl", false, "opencode-linux-x64-baseline-musl"],
  ["arm64", "glibc", false, "opencode-linux-arm64"],
  ["arm64", "musl", true, "opencode-linux-arm64-musl"],
] as const)("opencode for %s with %s, AVX2 %p, is the package %s", (arch, libc, avx2, name) => {
  expect(chooseVariant(opencode, { arch, libc, avx2 }).package).toBe(name);
});

test("every agent has a program for both architectures, and ids that tell them apart", () => {
  for (const agent of AGENTS) {
    for (const arch of ["x64", "arm64"] as const)
      expect(chooseVariant(agent, { arch, libc: "glibc", avx2: false }).arch).toBe(arch);
    expect(new Set(agent.variants.map(({ id }) => id)).size).toBe(agent.variants.length);
    for (const { files } of agent.variants) {
      expect(files[0]).toMatchObject({ name: agent.name, to: `/usr/local/bin/${agent.name}`, required: true });
      expect(new Set(files.map(({ name }) => name)).size).toBe(files.length);
    }
  }
});

test("Codex's static program fits a musl base, and brings what it needs", () => {
  const variant = chooseVariant(findAgent("codex"), { arch: "x64", libc: "musl", avx2: true });
  expect(variant).toMatchObject({ package: "@openai/codex", versionSuffix: "-linux-x64", needsCxx: false });
});

test("an agent that nobody knows is told what it may have been", () => {
  expect(() => findAgent("opencod")).toThrow('no agent called "opencod"');
});

test("AVX2 is told from the processor's flags", () => {
  expect(hasAvx2("flags\t\t: fpu avx avx2 bmi1\n")).toBe(true);
  expect(hasAvx2("flags\t\t: fpu avx bmi1\nbugs : avx2\n")).toBe(false);
});

test.each([
  ["latest", ["1.0.0", "1.2.0", "1.3.0-beta.1", "1.10.0"], undefined, "1.10.0"],
  ["latest", ["1.0.0", "1.2.0", "2.0.0"], "1.2.0", "1.2.0"],
  ["1.3.0-beta.1", ["1.2.0", "1.3.0-beta.1"], "1.2.0", "1.3.0-beta.1"],
])("of %s in %p, with %p called the latest, it is %s", (wanted, versions, latest, chosen) => {
  const variant = chooseVariant(opencode, { arch: "x64", libc: "glibc", avx2: true });
  expect(chooseAgentVersion(wanted, { agent: opencode, variant, known: { versions, latest } })).toBe(chosen);
});

test("versions of several variants in one package are told by their ends", () => {
  const codex = findAgent("codex");
  const variant = chooseVariant(codex, { arch: "x64", libc: "glibc", avx2: true });
  const versions = ["0.169.0", "0.169.0-linux-x64", "0.170.0-darwin-x64", "0.168.0-linux-x64"];
  expect(chooseAgentVersion("latest", { agent: codex, variant, known: { versions, latest: "0.169.0" } })).toBe(
    "0.169.0",
  );
});

test("a version that the variant lacks is refused with the nearest that it has", () => {
  const variant = chooseVariant(opencode, { arch: "x64", libc: "musl", avx2: true });
  const known = { versions: ["1.18.30", "1.18.32", "1.18.40"], latest: "1.18.40" };
  expect(() => chooseAgentVersion("1.18.34", { agent: opencode, variant, known })).toThrow(
    expect.objectContaining({ hint: "The nearest that it has is 1.18.32." }),
  );
});

test("nobody who wants a release is led to a pre-release", () => {
  const variant = chooseVariant(opencode, { arch: "x64", libc: "glibc", avx2: true });
  const known = { versions: ["0.0.0-dev-1", "1.18.30", "1.18.31-rc.0"], latest: "1.18.30" };
  const choose = (wanted: string) => () => chooseAgentVersion(wanted, { agent: opencode, variant, known });
  expect(choose("0.0.1")).toThrow(expect.objectContaining({ hint: "The nearest that it has is 1.18.30." }));
  expect(choose("1.18.31-rc.1")).toThrow(expect.objectContaining({ hint: "The nearest that it has is 1.18.31-rc.0." }));
});

test("versions are read with and without their v, and nothing else is one", () => {
  expect(["v1.2.3", "1.2.3-rc.1", " latest "].map((text) => readAgentVersion(text, "it"))).toEqual([
    "1.2.3",
    "1.2.3-rc.1",
    "latest",
  ]);
  expect(() => readAgentVersion("1.2", "opencode_version")).toThrow(
    'opencode_version is "1.2"; wanted latest or a version',
  );
});

test("a base's libc is told by its loader, and a base with neither is an error (no Alpine to be had here: by the files alone)", () => {
  const found = (...paths: string[]) => new Map(paths.map((path) => [path, ""]));
  const at = { arch: "x64", image: "it" } as const;
  expect(readBaseFiles(found("/lib64/ld-linux-x86-64.so.2"), at).libc).toBe("glibc");
  const alpine = readBaseFiles(found("/lib/ld-musl-x86_64.so.1", "/sbin/apk"), at);
  expect(alpine).toMatchObject({ libc: "musl", hasCxxLibraries: false, hasApk: true });
  expect(readBaseFiles(found("/lib/ld-musl-aarch64.so.1"), { arch: "arm64", image: "it" }).libc).toBe("musl");
  expect(() => readBaseFiles(found("/etc/passwd"), at)).toThrow("The base image it has no C library");
  expect(probedPaths("x64")).toContain("/usr/lib/libstdc++.so.6");
});

test.each([
  ["ghcr.io/Acme/Dev:2", "ocx-ghcr.io-acme-dev-2:1.2.3"],
  ["rails", "ocx-rails:1.2.3"],
  ["a__b//c", "ocx-a-b-c:1.2.3"],
  [undefined, "ocx:1.2.3"],
])("the image on %p is %s", (base, name) => {
  expect(agentImageName("opencode", { base, version: "1.2.3" })).toBe(name);
});

test("bases whose names would be the same get different ones, and a long one is cut", () => {
  const name = agentImageName("opencode", { base: "a/b", version: "1.2.3" });
  expect(distinctImageName(name, "a/b")).toMatch(/^ocx-a-b-[0-9a-f]{8}:1\.2\.3$/);
  expect(distinctImageName(name, "a/b")).not.toBe(distinctImageName(name, "a-b"));
  expect(agentImageName("opencode", { base: "x".repeat(300), version: "1" }).length).toBeLessThan(180);
});
