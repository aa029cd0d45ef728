import { closeSync, createReadStream, mkdirSync, openSync, readFileSync, symlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { KernelRefusal, MOUNT_FLAGS, type NamespaceCalls, openNamespaceCalls } from "../host/namespace-calls.ts";
import { runBare } from "../host/spawn.ts";
import type { ImageAccount, UnknownAccount } from "../oci/image-account.ts";
import { readImageAccount } from "./read-image-account.ts";
import { SANDBOX_FOLDER, type SandboxRequest, type SandboxResult, sandboxRequestSchema } from "./sandbox-request.ts";
import { HOST_NAME, prepareSandboxRoot } from "./sandbox-root.ts";
import { systemCallFilter } from "./system-call-filter.ts";

/** What containers keep by default, less the making of devices, and raw sockets: on this machine's network they would hear all of it. */
const KEPT_CAPABILITIES = [0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 29, 31];
const EXIT_REFUSED = 125;
const RESULT_BYTES = 4096;

/**
 * The first process of new namespaces: mounts a step's layers as `folder` says, makes them its root, and runs the step with less than
 * it may itself. Its end is the end of all that the step started. Leaves `result.json`; resolves to the exit code.
 */
export async function runSandboxWorker(folder: string): Promise<number> {
  process.chdir(folder);
  process.umask(0o022);
  const request = v.parse(sandboxRequestSchema, JSON.parse(readFileSync(SANDBOX_FOLDER.request, "utf8")));
  const result = openSync(SANDBOX_FOLDER.result, "w", 0o600);
  // A step may leave no space for it: blanks take the place now.
  writeSync(result, " ".repeat(RESULT_BYTES));
  const report = (outcome: SandboxResult) => writeSync(result, JSON.stringify(outcome), 0);
  endWithStarter(request);
  let mounting = false;
  let made: readonly string[];
  let calls: NamespaceCalls;
  try {
    calls = openNamespaceCalls();
    nameHost(calls);
    if (request.network === "none") calls.raiseLoopback();
    mounting = true;
    await mountLayers(request, calls);
    mounting = false;
    made = prepareSandboxRoot(SANDBOX_FOLDER.root, request, calls);
    process.chdir(SANDBOX_FOLDER.root);
    calls.enterRoot();
    calls.boundCapabilities(KEPT_CAPABILITIES);
    calls.filterSystemCalls(systemCallFilter(process.arch === "arm64" ? "arm64" : "x64"));
    const user = takeUser(request);
    if ("wanted" in user) {
      report({ kind: "no account", ...user });
      return EXIT_REFUSED;
    }
    if (user.uid !== 0 || user.gid !== 0) calls.becomeUser(user);
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error;
    report({ kind: "refused", call: error.message, code: error.code, overlay: mounting });
    return EXIT_REFUSED;
  }
  try {
    const exitCode = await runStep(request, calls);
    report({ kind: "ended", exitCode, made: [...made] });
    return exitCode;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    report({ kind: "unstartable", program: request.argv[0] ?? "", code });
    return EXIT_REFUSED;
  }
}

/** A container around this one may have a filter that allows all but that: then the step sees that container's name. */
function nameHost(calls: NamespaceCalls): void {
  try {
    calls.setHostName(HOST_NAME);
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error;
  }
}

/** An account's home is only known here. */
function takeUser(request: SandboxRequest): Omit<ImageAccount, "home"> | UnknownAccount {
  if (request.account === undefined) return request.user;
  const account = readImageAccount(request.account);
  if (!("wanted" in account)) request.env = { HOME: account.home, ...request.env };
  return account;
}

/** Runs the step's process. Its output is a pipe, for scripts open /dev/stdout and /dev/stderr, which a socket cannot be. */
async function runStep(request: SandboxRequest, calls: NamespaceCalls): Promise<number> {
  if (request.stdio === "inherited") return runBare({ ...request, stdio: { kind: "inherited" } });
  const { read, write } = calls.pipe();
  const running = runBare({ ...request, stdio: { kind: "output", to: write } });
  closeSync(write);
  const passed = passOn(read);
  const exitCode = await running;
  endOthers();
  await passed;
  return exitCode;
}

/** Ends what the step left running, which may hold its output open: in a pid namespace of one's own it is all but this process. */
function endOthers(): void {
  if (process.pid !== 1) return;
  try {
    process.kill(-1, "SIGKILL");
  } catch {
    // There is nothing else.
  }
}

async function passOn(file: number): Promise<void> {
  const writer = Bun.stdout.writer();
  for await (const chunk of createReadStream("", { fd: file })) {
    writer.write(chunk);
    await writer.flush();
  }
}

/** The first process of a pid namespace gets no signal that it does not ask for; and nobody else notices that cooper was killed. */
function endWithStarter({ stdio }: SandboxRequest): void {
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(143));
  if (stdio === "inherited") {
    // What is typed is the step's. The runtime itself ends by it where it has a terminal.
    for (const signal of ["SIGINT", "SIGQUIT"] as const) process.on(signal, () => undefined);
    return;
  }
  process.on("SIGINT", () => process.exit(130));
  process.stdin.on("end", () => process.exit(137)).resume();
}

/** By names that are short and plain, whatever the layers' paths are: the kernel reads one page of options. */
async function mountLayers(request: SandboxRequest, calls: NamespaceCalls): Promise<void> {
  const { layers, fuseOverlayfs } = request;
  const { links, upper, scratch, root } = SANDBOX_FOLDER;
  for (const folder of [links, upper, scratch, root]) mkdirSync(folder, { recursive: true });
  const empty = join(links, "empty");
  if (layers.length === 0) mkdirSync(empty, { recursive: true });
  for (const [index, layer] of layers.entries()) symlinkSync(layer, join(links, index.toString(36)));
  const lower = layers.length === 0 ? [empty] : layers.map((_, index) => join(links, index.toString(36)));
  const options = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${scratch}`;
  try {
    // A device among an image's files would be the machine's own: as root, its disk. fuse-overlayfs leaves devices out by itself.
    const flags = MOUNT_FLAGS.noDevices;
    calls.mount({ source: "overlay", target: root, type: "overlay", flags, data: `${options},userxattr` });
  } catch (error) {
    if (!(error instanceof KernelRefusal) || fuseOverlayfs === null) throw error;
    const argv = [fuseOverlayfs, "-o", options, root];
    // It tells of options that it ignores, which is nothing to whoever reads what the step itself prints.
    const silence = openSync("/dev/null", "w");
    const to = request.stdio === "inherited" ? silence : 1;
    const exitCode = await runBare({ argv, env: {}, cwd: process.cwd(), stdio: { kind: "output", to } });
    closeSync(silence);
    if (exitCode !== 0) throw error;
    // It looks things up in /proc, and would wait for itself were its root exchanged for what it mounts.
    calls.separateMounts();
  }
}
