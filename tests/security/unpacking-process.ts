import { readFileSync } from "node:fs";
import { unpackLayer } from "../../src/store/unpack-layer.ts";
import { tarOf } from "../fakes/registry-tar.ts";

/*
 * A process of its own, whose memory is nobody else's: unpacks a file of so many bytes, which is little gzip, into a folder, and prints
 * how many bytes of tar that were, and by how many bytes its memory grew at most.
 */
const [, , folder = "", text = ""] = process.argv;
const size = Number(text);
const piece = 8 * 1024 ** 2;
const zeros = Bun.gzipSync(new Uint8Array(piece));
const header = Bun.gzipSync(tarOf([{ path: "zeros", claimedSize: size }]).slice(0, 512));

async function* bomb(): AsyncGenerator<Uint8Array> {
  yield header;
  for (let sent = 0; sent < size; sent += piece) yield zeros;
}

Bun.gc(true);
const before = process.memoryUsage.rss();
const unpacked = await unpackLayer(bomb(), { folder, what: "it", signal: new AbortController().signal });
// Not getrusage's number, which counts what started this process.
const [, peak] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
const grown = Number(peak) * 1024 - before;
process.stdout.write(JSON.stringify({ read: unpacked.size, grown }));
