import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join, posix } from "node:path";
import * as v from "valibot";
import { UserError } from "../errors.ts";
import { createTarStream, type TarStreamEntry } from "../oci/tar-stream.ts";
import { decompressChunks } from "./decompress-chunks.ts";
import { stagedPath } from "./staged-path.ts";

/** An agent's program and what it needs beside it, on this machine: the only files of a folder. */
export interface AgentFiles {
  readonly folder: string;
  readonly files: readonly AgentFile[];
}

/** A file by its name in the folder, with the sha256 of its bytes. */
export interface AgentFile {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
}

/** A file that is wanted of a package: its name here, where the package may have it, and whether it is of no use without. */
export interface PackageFile {
  readonly name: string;
  readonly from: readonly string[];
  readonly mode: number;
  readonly required: boolean;
}

/** Which build of which version of an agent is meant. */
export interface AgentPlace {
  /** The folder of all agents. */
  readonly root: string;
  readonly agent: string;
  readonly version: string;
  readonly variant: string;
  readonly wanted: readonly PackageFile[];
}

/** An archive that is being downloaded, with what its bytes must be. */
export interface AgentArchive {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly integrity: string;
  /** How the archive is called in messages. */
  readonly what: string;
}

const identitySchema = v.object({ mtime: v.string(), inode: v.string() });
const factsSchema = v.object({
  wanted: v.array(v.string()),
  files: v.array(v.object({ name: v.string(), digest: v.string(), size: v.number(), ...identitySchema.entries })),
});
type Facts = v.InferOutput<typeof factsSchema>;
const CHUNK = 1024 * 1024;

/** Whether files were kept for this place and have the sizes that they had then; their bytes are not read. */
export function hasAgentFiles(place: AgentPlace): boolean {
  return readFacts(place) !== undefined;
}

/** The files, if they were kept whole and have the bytes that they had then. */
export async function findAgentFiles(place: AgentPlace): Promise<AgentFiles | undefined> {
  const { folder } = pathsOf(place);
  const facts = readFacts(place);
  if (facts === undefined) return undefined;
  const files: Facts["files"][number][] = [];
  for (const known of facts.files) {
    const path = join(folder, known.name);
    const identity = identityOf(path);
    // Bytes were compared when the file had this inode and this time, and who writes to it changes the time. Whoever sets it back has
    // the user's own rights and could as well write the facts: this is against damage, where 400 MB cannot be read at every start.
    const isKnown = identity.mtime === known.mtime && identity.inode === known.inode;
    if (!isKnown && (await digestOf(path)) !== known.digest) return undefined;
    files.push({ ...known, ...identity });
  }
  const isSame = files.every(({ mtime, inode }, index) => {
    const before = facts.files[index];
    return before?.mtime === mtime && before.inode === inode;
  });
  if (!isSame) writeFacts(place, { ...facts, files });
  return { folder, files: files.map(({ name, digest, size }) => ({ name, digest, size })) };
}

/**
 * Keeps the wanted files of an archive: nothing is unpacked before all bytes have the integrity that was promised, and they appear
 * whole or not at all. Throws UserError for other bytes and for an archive without what is required.
 */
export async function keepAgentFiles(place: AgentPlace, archive: AgentArchive): Promise<AgentFiles> {
  const { home, folder } = pathsOf(place);
  const staged = stagedPath(folder);
  mkdirSync(staged, { mode: 0o755 });
  try {
    const packed = join(staged, "archive.tgz");
    await writeVerified(packed, archive);
    const made = join(staged, "files");
    mkdirSync(made, { mode: 0o755 });
    const files = await extract({ packed, made }, { wanted: place.wanted, what: archive.what });
    // Another run may have been quicker; a build may read what it kept.
    const others = await findAgentFiles(place);
    if (others !== undefined) return others;
    writeFacts(place, { wanted: namesOf(place), files });
    await moveInto(folder, made, place);
    return { folder, files: files.map(({ name, digest, size }) => ({ name, digest, size })) };
  } finally {
    rmSync(staged, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
  }
}

/** Puts a folder in its place, instead of one that is damaged; not of one that another run has just put there. */
async function moveInto(folder: string, made: string, place: AgentPlace): Promise<void> {
  try {
    renameSync(made, folder);
  } catch (cause) {
    if (!existsSync(folder)) throw cause;
    if ((await findAgentFiles(place)) !== undefined) return;
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  }
}

function pathsOf({ root, agent, version, variant }: AgentPlace) {
  const home = join(root, agent, version);
  return { home, folder: join(home, variant), facts: join(home, `${variant}.json`) };
}

function namesOf({ wanted }: AgentPlace): string[] {
  return wanted.map(({ name }) => name);
}

function readFacts(place: AgentPlace): Facts | undefined {
  const { folder, facts: path } = pathsOf(place);
  if (!existsSync(path)) return undefined;
  try {
    const facts = v.parse(factsSchema, JSON.parse(readFileSync(path, "utf8")));
    // What an older cooper did not look for in the package may be there.
    if (namesOf(place).join() !== facts.wanted.join()) return undefined;
    const isThere = ({ name, size }: AgentFile) =>
      statSync(join(folder, name), { throwIfNoEntry: false })?.size === size;
    return facts.files.every(isThere) ? facts : undefined;
  } catch {
    return undefined;
  }
}

function writeFacts(place: AgentPlace, facts: Facts): void {
  const { facts: path } = pathsOf(place);
  const staged = stagedPath(path);
  writeFileSync(staged, JSON.stringify(facts));
  renameSync(staged, path);
}

function identityOf(path: string): v.InferOutput<typeof identitySchema> {
  const { mtimeNs, ino } = statSync(path, { bigint: true });
  return { mtime: String(mtimeNs), inode: String(ino) };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

async function writeVerified(path: string, { chunks, integrity, what }: AgentArchive): Promise<void> {
  const wanted = integrity.split(/\s+/).find((entry) => entry.startsWith("sha512-"));
  if (wanted === undefined) throw new UserError(`${what} is not used: its registry promises no sha512 of its bytes.`);
  const hash = createHash("sha512");
  const file = openSync(path, "wx");
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      writeSync(file, chunk);
    }
  } finally {
    closeSync(file);
  }
  const found = `sha512-${hash.digest("base64")}`;
  if (found === wanted.split("?")[0]) return;
  throw new UserError(`${what} is not used: its bytes are ${found}, and ${wanted} was promised.`, {
    hint: "Something changed it on the way. Try again, or look at the proxy or mirror in between.",
  });
}

async function extract(
  { packed, made }: { packed: string; made: string },
  { wanted, what }: { wanted: readonly PackageFile[]; what: string },
): Promise<Facts["files"]> {
  const outputs = new Map<string, Output>();
  const open = (entry: TarStreamEntry): TakeContent | undefined => {
    const file = wantedFor(entry, wanted);
    const earlier = outputs.get(file?.name ?? "");
    if (file === undefined || (earlier !== undefined && earlier.rank < file.rank)) return undefined;
    if (earlier !== undefined) closeSync(earlier.file);
    const output = openOutput(join(made, file.name), file);
    outputs.set(file.name, output);
    return output.take;
  };
  try {
    await readArchive(packed, { what, open });
    const missing = wanted.find(({ name, required }) => required && !outputs.has(name));
    if (missing !== undefined)
      throw new UserError(`${what} has no ${missing.from[0]}, which is where its program should be.`);
    // Else a machine that loses its power has files of the right size and without their bytes.
    for (const { file } of outputs.values()) fsyncSync(file);
  } finally {
    for (const { file } of outputs.values()) closeSync(file);
  }
  return wanted.flatMap(({ name }) => {
    const output = outputs.get(name);
    const path = join(made, name);
    return output === undefined
      ? []
      : [{ name, digest: output.digest(), size: statSync(path).size, ...identityOf(path) }];
  });
}

async function readArchive(
  packed: string,
  { what, open }: { what: string; open: (entry: TarStreamEntry) => TakeContent | undefined },
): Promise<void> {
  let take: TakeContent | undefined;
  const stream = createTarStream({
    entry: (entry) => {
      take = open(entry);
    },
    content: (bytes) => take?.(bytes),
  });
  let failure: { readonly thrown: unknown } | undefined;
  const { problem } = await decompressChunks(createReadStream(packed, { highWaterMark: CHUNK }), (content) => {
    try {
      stream.push(content);
    } catch (thrown) {
      // A full disk is not the archive's fault.
      failure ??= { thrown };
      throw thrown;
    }
  });
  if (failure?.thrown instanceof UserError)
    throw new UserError(`${what} cannot be unpacked: ${failure.thrown.message}`);
  if (failure !== undefined) throw failure.thrown;
  const ending = stream.end();
  const wrong = problem ?? (ending?.isCut === true ? ending.problem : undefined);
  if (wrong !== undefined) throw new UserError(`${what} cannot be unpacked: ${wrong}.`);
}

/** Gets a file's content part by part, each only valid during the call. */
type TakeContent = (part: Uint8Array) => void;

interface Output {
  readonly rank: number;
  readonly file: number;
  readonly take: TakeContent;
  readonly digest: () => string;
}

/** The file that an entry is wanted for, and how far from the place where it is looked for first. */
function wantedFor(
  { path, typeFlag }: TarStreamEntry,
  wanted: readonly PackageFile[],
): (PackageFile & { rank: number }) | undefined {
  if (typeFlag !== "0" && typeFlag !== "7") return undefined;
  const place = posix.normalize(path);
  const file = wanted.find(({ from }) => from.includes(place));
  return file === undefined ? undefined : { ...file, rank: file.from.indexOf(place) };
}

function openOutput(path: string, { mode, rank }: { mode: number; rank: number }): Output {
  const hash = createHash("sha256");
  const file = openSync(path, "w", mode);
  // The umask must not decide what others get.
  fchmodSync(file, mode);
  const take = (part: Uint8Array) => {
    hash.update(part);
    for (let done = 0; done < part.length; ) done += writeSync(file, part, done);
  };
  return { rank, file, take, digest: () => `sha256:${hash.digest("hex")}` };
}
