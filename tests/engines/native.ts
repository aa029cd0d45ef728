import { afterAll, beforeAll, describe, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { availableEngines, BASE_IMAGE, type CooperResult, cooperCommand } from "./engines.ts";
import { type BuildRun, type Files, readOutcome, writeFiles } from "./workspace.ts";

/** Who cooper's own engine runs as. */
export type IdentityName = "root" | "ordinary user";

/** A run of the executable; `before` comes before its own words, for what changes its surroundings. */
export interface NativeRun {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly before?: readonly string[];
}

/** cooper's own engine as one identity, with a store of its own that has the base image; gone when the group's tests have run. */
export interface NativeEngine {
  readonly name: IdentityName;
  /** A random word, the same in the whole group. */
  readonly id: string;
  /** Of cooper's cache, configuration, state and data. */
  readonly home: string;
  readonly store: string;
  readonly uid: () => number;
  /** A new folder, this identity's own. */
  readonly directory: (label: string) => string;
  /** A new folder with these files, this identity's own. */
  readonly workspace: (files: Files, options?: { readonly name?: string }) => string;
  /** What runs the executable as this identity. */
  readonly command: (
    words: readonly string[],
    options?: NativeRun,
  ) => { readonly command: string[]; readonly cwd: string; readonly env: Record<string, string | undefined> };
  readonly run: (words: readonly string[], options?: NativeRun) => Promise<CooperResult>;
  /** `build --backend native`; checks that stdout is one line of JSON. */
  readonly build: (folder: string, options?: NativeRun) => Promise<BuildRun>;
  /** What steps left in files of this name, from every unpacked layer that has it. */
  readonly left: (path: string) => readonly string[];
  /** Makes this identity the owner of all that is in a folder. */
  readonly give: (path: string) => void;
}

interface Owner {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** What comes before a command so that it runs as this identity. */
  readonly prefix: readonly string[];
}

const required = (process.env["COOPER_REQUIRE_ENGINES"] ?? "").split(/[\s,]+/).includes("native");
const isRoot = process.getuid?.() === 0;
let base = obtainBase();

/** A group of tests for each identity: skipped, with the reason, where it cannot be had, failed there when COOPER_REQUIRE_ENGINES names `native`. */
export function describeNative(
  body: (native: NativeEngine) => void,
  names: readonly IdentityName[] = ["root", "ordinary user"],
): void {
  afterAll(() => rmSync(dirname(base.archive), { recursive: true, force: true }));
  for (const name of names) {
    const reason = whyNot(name);
    if (reason === undefined) describe(`native as ${name}`, () => body(openNative(name)));
    else if (required) {
      test(`native as ${name} can be used, as COOPER_REQUIRE_ENGINES demands`, () => {
        throw new Error(reason);
      });
    } else describe.skip(`native as ${name} (skipped: ${reason})`, () => body(openNative(name)));
  }
}

function whyNot(name: IdentityName): string | undefined {
  if (process.platform !== "linux") return `it needs Linux, and this is ${process.platform}`;
  if (name === "root" && !isRoot) return "the tests do not run as root";
  if (base.reason !== undefined) return base.reason;
  const kinds = name === "root" ? [] : ["--user", "--map-root-user"];
  const trial = Bun.spawnSync(["unshare", ...kinds, "--mount", "--pid", "--fork", "--uts", "--ipc", "true"]);
  if (trial.exitCode !== 0) return `unshare is refused: ${trial.stderr.toString().trim()}`;
  if (name === "root") return undefined;
  for (const program of ["newuidmap", ...(isRoot ? ["useradd", "userdel", "setpriv"] : [])]) {
    if (Bun.which(program) === null) return `${program} is not on PATH`;
  }
  const subordinate = existsSync("/etc/subuid") ? readFileSync("/etc/subuid", "utf8") : "";
  const has = subordinate.split("\n").some((line) => line.startsWith(`${userInfo().username}:`));
  return isRoot || has ? undefined : "the user has no subordinate ids";
}

interface Base {
  readonly archive: string;
  readonly reason: string | undefined;
}

/** The base image as a file, from an engine at hand or else from its registry. */
function obtainBase(): Base {
  const folder = mkdtempSync(join(tmpdir(), "cooper-native-base-"));
  const archive = join(folder, "base.tar");
  const engine = availableEngines().find(({ reason }) => reason === undefined);
  const source = engine === undefined ? `docker://${BASE_IMAGE}` : `engine:${BASE_IMAGE}`;
  const options = { home: folder, ...(engine === undefined ? {} : { engine }) };
  const { command, cwd, env } = cooperCommand(["image", "copy", source, `oci-archive:${archive}`], options);
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd, env, timeout: 60_000 });
  const reason = exitCode === 0 ? undefined : `${BASE_IMAGE} cannot be had: ${stderr.toString().trim()}`;
  if (reason !== undefined) rmSync(folder, { recursive: true });
  return { archive, reason };
}

/** Made again for each file of tests, at whose end it is gone. */
function presentBase(): string {
  if (!existsSync(base.archive)) base = obtainBase();
  return base.archive;
}

function openNative(name: IdentityName): NativeEngine {
  // Builds on a busy machine take their time.
  setDefaultTimeout(120_000);
  const id = randomBytes(5).toString("hex");
  const root = mkdtempSync(join(tmpdir(), "cooper-native-"));
  chmodSync(root, 0o755);
  const home = join(root, "home");
  const binary = join(root, "cooper");
  let owner: Owner | undefined;
  const owned = () => {
    if (owner === undefined) throw new Error("the identity is made before the first test");
    return owner;
  };
  const give = (path: string) => giveTo(owned(), path);
  const directory = (label: string) => {
    const path = mkdtempSync(join(root, `${label}-`));
    give(path);
    return path;
  };
  const command: NativeEngine["command"] = (words, { env = {}, cwd = root, before = [] } = {}) => {
    const usual = cooperCommand(words, { home });
    const whole = { ...usual.env, XDG_DATA_HOME: join(home, "data"), ...loginOf(owned(), home), ...env };
    return { command: [...owned().prefix, ...before, binary, ...words], cwd, env: whole };
  };
  const run: NativeEngine["run"] = async (words, options) => {
    const { command: argv, ...rest } = command(words, options);
    const child = Bun.spawn(argv, { ...rest, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { exitCode, stdout, stderr };
  };
  beforeAll(async () => {
    owner = name === "root" || !isRoot ? caller() : await makeUser(id);
    const [executable = ""] = cooperCommand([], { home }).command;
    placeFile(executable, binary);
    mkdirSync(home);
    // A certificate that only root may read would be none.
    for (const variable of CERTIFICATES) {
      const path = process.env[variable];
      if (path !== undefined && existsSync(path)) copyFileSync(path, join(home, variable));
    }
    give(home);
    const archive = join(home, "base.tar");
    placeFile(presentBase(), archive);
    chmodSync(archive, 0o644);
    const copied = await run(["image", "copy", `oci-archive:${archive}`, `store:${BASE_IMAGE}`]);
    rmSync(archive);
    if (copied.exitCode !== 0) throw new Error(`the base cannot be copied: ${copied.stderr}`);
  });
  afterAll(() => {
    // Root removes what belongs to subordinate ids, too; where the tests are not root's, cooper does.
    if (!isRoot) Bun.spawnSync(["unshare", "--user", "--map-auto", "--map-root-user", "rm", "-rf", home]);
    rmSync(root, { recursive: true, force: true });
    if (owner !== undefined && isRoot && name !== "root") Bun.spawnSync(["userdel", owner.name]);
  });
  return {
    name,
    id,
    home,
    store: join(home, "data", "cooper", "store"),
    uid: () => owned().uid,
    directory,
    give,
    workspace: (files, { name: folderName = "project" } = {}) => {
      const folder = join(directory("workspace"), folderName);
      writeFiles(folder, files);
      give(folder);
      return folder;
    },
    command,
    run,
    left: (path) => {
      const layers = join(home, "data", "cooper", "store", "layers");
      const found = readdirSync(layers).map((layer) => join(layers, layer, path));
      return found.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
    },
    build: async (folder, { args = [], ...options } = {}) => {
      const result = await run(["build", "--workspace-folder", folder, "--backend", "native", ...args], options);
      const outcome = readOutcome(result);
      return { ...result, outcome, image: outcome.outcome === "success" ? (outcome.imageName[0] ?? "") : "" };
    },
  };
}

const CERTIFICATES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];

/** What a login of the identity has in its environment. */
function loginOf({ name }: Owner, home: string): Record<string, string | undefined> {
  const certificates = CERTIFICATES.flatMap((variable) => {
    const path = join(home, variable);
    return existsSync(path) ? [[variable, path]] : [];
  });
  return { ...Object.fromEntries(certificates), HOME: home, USER: name, LOGNAME: name };
}

function caller(): Owner {
  const { username, uid, gid } = userInfo();
  return { name: username, uid, gid, prefix: [] };
}

/** A user of this machine with a range of subordinate ids, as `useradd` gives one. */
async function makeUser(id: string): Promise<Owner> {
  const name = `cooper-${id}`;
  for (let tries = 0; ; tries += 1) {
    // Others may be changing the same files.
    const made = Bun.spawnSync(["useradd", "--no-create-home", "--home-dir", "/nonexistent", name]);
    if (made.exitCode === 0) break;
    if (tries === 20) throw new Error(`useradd: ${made.stderr.toString()}`);
    await Bun.sleep(200);
  }
  const entry = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${name}:`));
  const [, , uid = "", gid = ""] = (entry ?? "").split(":");
  const prefix = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"];
  return { name, uid: Number(uid), gid: Number(gid), prefix };
}

function giveTo(owner: Owner, path: string): void {
  if (!isRoot || owner.uid === 0) return;
  lchownSync(path, owner.uid, owner.gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveTo(owner, join(path, name));
}

function placeFile(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    // On another file system.
    cpSync(source, target);
  }
}
