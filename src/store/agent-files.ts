import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { UserError } from "../errors.ts";
import { decompressChunks } from "./decompress-chunks.ts";
import { stagedPath } from "./staged-path.ts";
import { indexTar, type TarRange } from "./tar-index.ts";

/** A program on this machine: the only file of a folder, with the sha256 of its bytes. */
export interface AgentFile {
  readonly folder: string;
  readonly name: string;
  readonly digest: string;
  readonly size: number;
}

/** Which program of which package is meant. */
export interface AgentFilePlace {
  /** The folder of all agents. */
  readonly root: string;
  readonly agent: string;
  readonly version: string;
  readonly variant: string;
}

/** An archive that is being downloaded, with what its bytes must be. */
export interface AgentArchive {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly integrity: string;
  /** The program's path in the archive. */
  readonly program: string;
  /** How the archive is called in messages. */
  readonly what: string;
}

const factsSchema = v.object({ digest: v.string(), size: v.number() });
const CHUNK = 1024 * 1024;

/** The program, if it was kept whole and has the size that it had then. */
export function findAgentFile(place: AgentFilePlace): AgentFile | undefined {
  const { folder, facts } = pathsOf(place);
  const found = statSync(join(folder, place.agent), { throwIfNoEntry: false });
  if (found === undefined || !existsSync(facts)) return undefined;
  try {
    const known = v.parse(factsSchema, JSON.parse(readFileSync(facts, "utf8")));
    return found.size === known.size ? { folder, name: place.agent, ...known } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the program of an archive: nothing is unpacked before all bytes have the integrity that was promised, and it appears whole or
 * not at all. Throws UserError for other bytes and for an archive without the program.
 */
export async function keepAgentFile(place: AgentFilePlace, archive: AgentArchive): Promise<AgentFile> {
  const { home, folder, facts } = pathsOf(place);
  const staged = stagedPath(folder);
  mkdirSync(staged, { mode: 0o755 });
  try {
    const packed = join(staged, "archive.tgz");
    await writeVerified(packed, archive);
    const program = await extract({ staged, packed }, { name: place.agent, archive });
    // Another run may have been quicker; a build may read what it kept.
    const others = findAgentFile(place);
    if (others !== undefined) return others;
    const stagedFacts = stagedPath(facts);
    writeFileSync(stagedFacts, JSON.stringify({ digest: program.digest, size: program.size }));
    renameSync(stagedFacts, facts);
    moveInto(folder, program.folder, place);
    return { folder, name: place.agent, digest: program.digest, size: program.size };
  } finally {
    rmSync(staged, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
  }
}

/** Puts a folder in its place, instead of one that is damaged; not of one that another run has just put there. */
function moveInto(folder: string, made: string, place: AgentFilePlace): void {
  try {
    renameSync(made, folder);
  } catch (cause) {
    if (!existsSync(folder)) throw cause;
    if (findAgentFile(place) !== undefined) return;
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  }
}

function pathsOf({ root, agent, version, variant }: AgentFilePlace) {
  const home = join(root, agent, version);
  return { home, folder: join(home, variant), facts: join(home, `${variant}.json`) };
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
  { staged, packed }: { staged: string; packed: string },
  { name, archive }: { name: string; archive: AgentArchive },
): Promise<{ folder: string; digest: string; size: number }> {
  const plain = join(staged, "archive.tar");
  const output = openSync(plain, "wx");
  try {
    const { problem } = await decompressChunks(createReadStream(packed, { highWaterMark: CHUNK }), (content) => {
      writeSync(output, content);
    });
    if (problem !== undefined) throw new UserError(`${archive.what} cannot be unpacked: ${problem}.`);
  } finally {
    closeSync(output);
  }
  rmSync(packed);
  const handle = await open(plain, "r");
  try {
    const range = (await indexTar(handle, archive.what)).get(archive.program);
    if (range === undefined)
      throw new UserError(`${archive.what} has no ${archive.program}, which is where its program should be.`);
    const folder = join(staged, "program");
    mkdirSync(folder, { mode: 0o755 });
    const digest = copyRange(handle.fd, range, join(folder, name));
    return { folder, digest, size: range.size };
  } finally {
    await handle.close();
  }
}

function copyRange(from: number, { offset, size }: TarRange, to: string): string {
  const hash = createHash("sha256");
  const output = openSync(to, "wx", 0o755);
  const buffer = new Uint8Array(CHUNK);
  try {
    for (let done = 0; done < size; ) {
      const count = readSync(from, buffer, 0, Math.min(CHUNK, size - done), offset + done);
      if (count === 0) throw new UserError("The archive ended early: the disk or another program changed it.");
      hash.update(buffer.subarray(0, count));
      writeSync(output, buffer, 0, count);
      done += count;
    }
  } finally {
    closeSync(output);
  }
  chmodSync(to, 0o755);
  return `sha256:${hash.digest("hex")}`;
}
