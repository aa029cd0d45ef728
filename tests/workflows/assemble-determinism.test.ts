import { beforeAll, expect, test } from "bun:test";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Of the image and of the whole archive. A change of it means that everybody's digests change: a decision, not a repair. */
const golden =
  "sha256:518a9f6c34c36adb45625aaa018d8f72e978f357f2a6c96b4046c42ac6309a0f in feae82c929c067ecd7234bca554326bb8e0835fd1572efa8413983776bd2b384";

const main = join(import.meta.dir, "..", "..", "src", "main.ts");
const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const isRoot = process.getuid?.() === 0;
const memory = "/dev/shm";
const nobodyMayRun = isRoot && Bun.spawnSync([...asNobody, process.execPath, main, "--version"]).exitCode === 0;

/** How one run differs from the plain one in what must not matter. */
type Variation = {
  readonly env?: Record<string, string>;
  /** Words before the command. */
  readonly wrapper?: readonly string[];
  /** Why it cannot be tried here. */
  readonly skipped?: string | undefined;
  readonly prepare?: (folder: string) => void;
  readonly folderName?: string;
  /** Where all of it is, for the temporary folder. */
  readonly place?: string;
  readonly output?: string;
};

const variations: Readonly<Record<string, Variation>> = {
  plain: {},
  "time zone UTC+14": { env: { TZ: "Pacific/Kiritimati" } },
  "time zone UTC-11": { env: { TZ: "Pacific/Pago_Pago" } },
  "locale C": { env: { LANG: "C", LC_ALL: "C" } },
  "locale Turkish": { env: { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" } },
  "locale Swedish": { env: { LC_COLLATE: "sv_SE.UTF-8" } },
  "umask 077": { wrapper: ["sh", "-c", 'umask 077; exec "$@"', "sh"] },
  "umask 000": { wrapper: ["sh", "-c", 'umask 000; exec "$@"', "sh"] },
  "one processor": { wrapper: ["taskset", "-c", "0"] },
  "low priority": { wrapper: ["nice", "-n", "10"] },
  "another user": {
    skipped: nobodyMayRun ? undefined : "no other user may run it",
    wrapper: asNobody,
  },
  "another host name": {
    skipped: isRoot ? undefined : "needs root",
    wrapper: ["unshare", "--uts", "sh", "-c", 'hostname elsewhere; exec "$@"', "sh"],
  },
  "other owners": {
    skipped: isRoot ? undefined : "needs root",
    prepare: (folder) => Bun.spawnSync(["chown", "-R", "1234:4321", folder]),
  },
  "files touched now": { prepare: (folder) => Bun.spawnSync(["find", folder, "-exec", "touch", "{}", "+"]) },
  "files from 1980": { prepare: (folder) => utimesSync(join(folder, "a.txt"), 315532800, 315532800) },
  "files from the future": { prepare: (folder) => utimesSync(join(folder, "a.txt"), 4102444800, 4102444800) },
  "made in another order": { prepare: remake },
  "copied by cp": { prepare: copied },
  "another path": { folderName: "some where/else/träd" },
  "another file system": { skipped: existsSync(memory) ? undefined : `there is no ${memory}`, place: memory },
  "another output name": { output: "other.tar" },
  "another home": { env: { HOME: "/nonexistent", XDG_CACHE_HOME: "/nonexistent" } },
  "in CI": { env: { CI: "true", FORCE_COLOR: "1" } },
  "few open files": { wrapper: ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"] },
  "no environment to speak of": { wrapper: ["env", "-i"] },
  "SOURCE_DATE_EPOCH=0": { env: { SOURCE_DATE_EPOCH: "0" } },
};

let root = "";

beforeAll(() => {
  root = makeRoot(tmpdir());
  return () => rmSync(root, { recursive: true, force: true });
});

function makeRoot(parent: string): string {
  const folder = mkdtempSync(join(parent, "cooper-variations-"));
  chmodSync(folder, 0o777);
  return folder;
}

function fill(folder: string, names: readonly string[]): void {
  mkdirSync(join(folder, "b", "c"), { recursive: true });
  for (const name of names) writeFileSync(join(folder, name), name === "big" ? bigText() : `${name}\n`);
  for (const name of names) chmodSync(join(folder, name), name.endsWith(".sh") ? 0o755 : 0o644);
  for (const name of ["", "b", "b/c"]) chmodSync(join(folder, name), 0o755);
}

const names = ["a.txt", "a", "B.txt", "b.sh", "b/c/x", "b.d", "ö", "z", "ı", "İ", "\u{1f600}", "\ufb01", "big"];

/** Compressible, and enough for several chunks and so for every thread. */
function bigText(): string {
  let state = 1;
  const words: string[] = [];
  for (let index = 0; index < 900_000; index++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    words.push((state % 5000).toString(36));
  }
  return words.join(" ");
}

function remake(folder: string): void {
  rmSync(folder, { recursive: true });
  fill(folder, [...names].reverse());
}

function copied(folder: string): void {
  cpSync(folder, `${folder}-copy`, { recursive: true });
  rmSync(folder, { recursive: true });
  Bun.spawnSync(["cp", "-a", `${folder}-copy`, folder]);
  rmSync(`${folder}-copy`, { recursive: true });
}

async function digestWith(name: string, variation: Variation): Promise<string> {
  const elsewhere = variation.place === undefined ? undefined : makeRoot(variation.place);
  try {
    return await digestIn(join(elsewhere ?? root, name.replaceAll(" ", "-")), variation);
  } finally {
    if (elsewhere !== undefined) rmSync(elsewhere, { recursive: true });
  }
}

async function digestIn(place: string, variation: Variation): Promise<string> {
  const folder = join(place, variation.folderName ?? "tree");
  fill(folder, names);
  chmodSync(place, 0o777);
  variation.prepare?.(folder);
  const output = join(place, variation.output ?? "image.tar");
  const words = ["image", "assemble", folder, "--output", output, "--platform", "linux/amd64"];
  const child = Bun.spawn([...(variation.wrapper ?? []), process.execPath, main, ...words], {
    cwd: place,
    env: { PATH: process.env["PATH"] ?? "", HOME: place, BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0", ...variation.env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(stderr);
  const archive = new Bun.CryptoHasher("sha256").update(await Bun.file(output).bytes()).digest("hex");
  return `${JSON.parse(stdout).digest} in ${archive}`;
}

for (const [name, variation] of Object.entries(variations)) {
  const { skipped } = variation;
  const reason = skipped === undefined ? "" : ` (skipped: ${skipped})`;
  test.skipIf(skipped !== undefined)(`${name}: the same digest${reason}`, async () => {
    expect(await digestWith(name, variation)).toBe(golden);
  });
}
