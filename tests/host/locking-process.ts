import { lockFile } from "../../src/host/file-lock.ts";

// Locks the file of its first argument in the mode of its second, says so, and holds it until it is ended.
const [, , path = "", mode] = process.argv;
const signal = new AbortController().signal;
const lock = await lockFile(path, mode === "exclusive" ? mode : "shared", { signal });
process.stdout.write("locked\n");
await Bun.sleep(600_000);
lock?.release();
