import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** One total order: a folder imports itself and folders above it. Twin of the layer list in the README. */
const PURE = [
  "errors.ts",
  "json.ts",
  "nearest-name.ts",
  "version.ts",
  "oci",
  "devcontainer",
  "features",
  "profile",
  "agent",
  "plan",
  "dockerfile",
  "compose",
  "assembly",
];
const EFFECTS = ["host", "registry", "store", "runtime", "workflows", "cli", "main.ts"];
const LAYERS = [...PURE, ...EFFECTS];

const root = join(import.meta.dir, "..", "src");
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .sort();

function roomOf(file: string): string {
  return file.split("/")[0] ?? file;
}

/** Specifiers of every static, type-only, re-exporting and dynamic import, found by text. */
function importsOf(text: string): string[] {
  const pattern = /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? "");
}

test("every source file lives in a known room", () => {
  expect(files.filter((file) => !LAYERS.includes(roomOf(file)))).toEqual([]);
});

test("no file imports from a layer below its own", () => {
  const offences = files.flatMap((file) =>
    importsOf(readFileSync(join(root, file), "utf8"))
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => relative(root, join(root, dirname(file), specifier)))
      .filter((target) => LAYERS.indexOf(roomOf(target)) > LAYERS.indexOf(roomOf(file)))
      .map((target) => `${file} imports ${target}`),
  );
  expect(offences).toEqual([]);
});

test("what images are made, kept and moved with knows nothing of dev containers", () => {
  const rooms = ["oci", "assembly", "store", "registry"];
  const above = ["devcontainer", "features", "profile", "agent"];
  const offences = files
    .filter((file) => rooms.includes(roomOf(file)))
    .flatMap((file) =>
      importsOf(readFileSync(join(root, file), "utf8"))
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => relative(root, join(root, dirname(file), specifier)))
        .filter((target) => above.includes(roomOf(target)))
        .map((target) => `${file} imports ${target}`),
    );
  expect(offences).toEqual([]);
});

test("pure layers have no effects", () => {
  const effect =
    /\bBun\.(?!CryptoHasher\b)\w+|["'](?:node:)?(?:fs|fs\/promises|child_process|process|os|net|http|https)["']|\bprocess\.\w|\bfetch\(|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandomUUID\b|["']bun["']/;
  const offences = files
    .filter((file) => PURE.includes(roomOf(file)))
    .filter((file) => effect.test(readFileSync(join(root, file), "utf8")));
  expect(offences).toEqual([]);
});

test("only host/spawn.ts starts processes and only host/fetch.ts fetches", () => {
  const spawning = files.filter((file) => /\bBun\.spawn|child_process/.test(readFileSync(join(root, file), "utf8")));
  // Where the port is imported, `fetch` is what was handed in.
  const fetching = files
    .map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }))
    .filter(
      ({ text }) =>
        /(?<![.\w])fetch\(|globalThis\.fetch/.test(text) && !/import .*\bFetch\b.*host\/fetch\.ts/.test(text),
    )
    .map(({ file }) => file);
  expect(spawning.filter((file) => file !== "host/spawn.ts")).toEqual([]);
  expect(fetching.filter((file) => file !== "host/fetch.ts")).toEqual([]);
});

test("file names are kebab-case and say what is in them", () => {
  const vague = /(^|\/)(utils?|common|shared|helpers?|types|index)(\.ts|\/)|Impl/;
  expect(files.filter((file) => vague.test(file) || !/^[a-z0-9./-]+$/.test(file))).toEqual([]);
});
